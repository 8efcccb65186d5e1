import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestsStream } from "node:test";
import type { TestFile } from "./batches.ts";

/** Milliseconds by path of a test file. */
export type Durations = ReadonlyMap<string, number>;

/** The file with the durations of the last run. */
const MEMORY = "node_modules/.cache/test-durations.json";
/** Average time per byte of a test file: the estimate for files that have not run on this machine. */
const MS_PER_BYTE = 0.4;

/** Estimates how long each file will take: as long as the last time, or according to its size. */
export async function estimateDurations(root: string, paths: readonly string[]): Promise<TestFile[]> {
  const known = await readDurations(root);
  return await Promise.all(
    paths.map(async (path) => ({
      path,
      ms: known.get(path) ?? (await stat(join(root, path))).size * MS_PER_BYTE,
    })),
  );
}

/** Collects the files' durations as their suites end. */
export function listenForDurations(events: TestsStream): Durations {
  const durations = new Map<string, number>();
  for (const type of ["test:pass", "test:fail"] as const)
    events.on(type, ({ name, nesting, details }) => {
      if (nesting === 0 && details.type === "suite") durations.set(name, details.duration_ms);
    });
  return durations;
}

/** Keeps the durations for the next run, together with those of files that did not run this time. */
export async function rememberDurations(root: string, durations: Durations): Promise<void> {
  const path = join(root, MEMORY);
  const own = [...durations].filter(([file]) => !file.startsWith(".."));
  const all = [...(await readDurations(root)), ...own].map(([file, ms]) => [file, Math.round(ms)]);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, JSON.stringify(Object.fromEntries(all), null, 1));
  await rename(`${path}.${process.pid}`, path);
}

async function readDurations(root: string): Promise<Durations> {
  const text = await readFile(join(root, MEMORY), "utf8").catch(() => "{}");
  return new Map(Object.entries<number>(JSON.parse(text)));
}
