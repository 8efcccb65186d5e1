import { glob, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { pathToFileURL } from "node:url";
import { SERVER_VARIABLE, startTestServer } from "./support/postgres.ts";
import reportSummary from "./support/summary-reporter.ts";

/**
 * `npm test`, or `npm test -- FILE…`: files of tests in batches, a process each. A process needs longer to load the
 * program, and to get fast, than most files need for their tests.
 */
const FILES_PER_BATCH = 6;
/** Test process and database server take turns, so more than this many processes wait for each other. */
const AT_ONCE = 2;

const root = dirname(import.meta.dirname);
const files =
  process.argv.length > 2 ? process.argv.slice(2).map((path) => resolve(path)) : await findFiles();
await using server = await startTestServer();
process.env[SERVER_VARIABLE] = server.adminUrl;
const folder = await mkdtemp(join(tmpdir(), "torikomi-batches-"));
try {
  const events = run({
    files: await writeBatches(files),
    concurrency: AT_ONCE,
    cwd: root,
  });
  events.on("test:fail", () => {
    process.exitCode = 1;
  });
  for await (const told of reportSummary(events)) process.stdout.write(told);
} finally {
  await rm(folder, { recursive: true });
}

async function findFiles(): Promise<string[]> {
  const found = await Array.fromAsync(glob("test/**/*.test.ts", { cwd: root }));
  return found.sort().map((path) => join(root, path));
}

async function writeBatches(paths: readonly string[]): Promise<string[]> {
  const batches: string[] = [];
  for (let first = 0; first < paths.length; first += FILES_PER_BATCH) {
    const path = join(folder, `${String(batches.length).padStart(2, "0")}.test.mjs`);
    const imports = paths
      .slice(first, first + FILES_PER_BATCH)
      .map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`);
    await writeFile(path, imports.join(""));
    batches.push(path);
  }
  return batches;
}
