import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { TELL_PROGRESS } from "./time-limit.ts";

export type TestFile = { readonly path: string; readonly ms: number };

/** A process takes longer to load and warm up the program than most files take for their tests. */
const FILES_PER_BATCH = 10;

/** Shares the files out so that batches take about equally long, the longest batches and their longest files first. */
export function planBatches(files: readonly TestFile[], atOnce: number): TestFile[][] {
  const rounds = Math.ceil(files.length / FILES_PER_BATCH / atOnce);
  const batches = Array.from({ length: Math.min(rounds * atOnce, files.length) }, () => ({
    ms: 0,
    files: [] as TestFile[],
  }));
  for (const file of files.toSorted((one, other) => other.ms - one.ms)) {
    const shortest = batches.reduce((one, other) => (other.ms < one.ms ? other : one));
    shortest.files.push(file);
    shortest.ms += file.ms;
  }
  return batches.toSorted((one, other) => other.ms - one.ms).map((batch) => batch.files);
}

/** Writes a module for each batch, in which each file is a suite named by its path, and returns their paths in order. */
export async function writeBatches(
  folder: string,
  root: string,
  batches: readonly (readonly TestFile[])[],
): Promise<string[]> {
  return await Promise.all(
    batches.map(async (files, index) => {
      const path = join(folder, `${String(index).padStart(2, "0")}.test.mjs`);
      await writeFile(path, batchModule(root, files));
      return path;
    }),
  );
}

function batchModule(root: string, files: readonly TestFile[]): string {
  const suites = files.map(({ path }) => {
    const url = JSON.stringify(pathToFileURL(join(root, path)).href);
    return `suite(${JSON.stringify(path)}, async () => await import(${url}));\n`;
  });
  return `${TELL_PROGRESS}import { suite } from "node:test";\n${suites.join("")}`;
}
