import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** Modules that start a database server, a browser or an object store. */
const HEAVY = [
  "src/store/embedded/postgres.ts",
  "test/support/postgres.ts",
  "test/support/chromium.ts",
  "test/support/s3-server.ts",
];
/** Installs packages, which takes as long as all quick tests together. */
const INSTALLING = "test/image.test.ts";

/** Returns the paths of all test files, from the project's folder. */
export async function findTestFiles(root: string): Promise<string[]> {
  return (await Array.fromAsync(glob("test/**/*.test.ts", { cwd: root }))).sort();
}

/** Returns the test files that import, directly or not, none of the modules that start a server or a browser. */
export async function findQuickFiles(root: string): Promise<string[]> {
  const read = new Map<string, Promise<string[]>>();
  const chosen: string[] = [];
  for (const path of await findTestFiles(root)) {
    const reached = await listReached(join(root, path), read);
    const isHeavy = HEAVY.some((module) => reached.has(join(root, module)));
    if (!isHeavy && path !== INSTALLING) chosen.push(path);
  }
  return chosen;
}

async function listReached(from: string, read: Map<string, Promise<string[]>>): Promise<Set<string>> {
  const reached = new Set([from]);
  for (const path of reached) {
    const imports = read.get(path) ?? listImports(path);
    read.set(path, imports);
    for (const imported of await imports) reached.add(imported);
  }
  return reached;
}

/** Returns the project's modules that a module imports, also those that it imports later. */
async function listImports(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8");
  const names = text.matchAll(/\b(?:from |import |import\()"(\.[^"]+\.ts)"/g);
  // A test's text may hold made-up imports.
  return [...names].map(([, name = ""]) => resolve(dirname(path), name)).filter((found) => existsSync(found));
}
