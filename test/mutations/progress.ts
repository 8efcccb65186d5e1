import { createHash } from "node:crypto";
import { appendFile, glob, readFile, writeFile } from "node:fs/promises";

/** A test, and the mutants of all source files that it comes by, while it runs and when its file is loaded. */
export type Test = {
  readonly file: string;
  readonly name: string;
  readonly ms: number;
  readonly mutants: readonly string[];
  readonly loading: readonly string[];
};

/** How a mutant fared, as a line of the progress file tells. */
export type Tried = {
  readonly id: string;
  readonly result: { readonly status: "killed" | "timeout" | "survived" } & Readonly<Record<string, unknown>>;
  /** The test that objected. */
  readonly killer: string | null;
  /** Those that ran and did not object, where none did. */
  readonly vain: readonly string[];
  /** So many tests come by it, so many of them were run, which were allowed so long together. */
  readonly covering: number;
  readonly run: number;
  readonly mostMs: number;
};

/** What is known so far: which test comes by what, and how mutants fared. */
export type Progress = { readonly tests: readonly Test[]; readonly tried: Map<string, Tried> };

const NOTHING: Progress = { tests: [], tried: new Map() };

/** What stands beside the progress file, with digests of what it was measured on. */
type Measured = { readonly sources: string; readonly testFiles: string; readonly tests: readonly Test[] };

const TEST_FILES = "test/**/*.ts";

/**
 * Reads how far runs of the same sources came; throws where the file is of other sources, whose mutants are others. Where
 * tests have changed since, nothing is known: they are to be measured anew.
 */
export async function readProgress(file: string): Promise<Progress> {
  const measured = await read(besides(file));
  if (measured === null) return NOTHING;
  const { sources, testFiles, tests }: Measured = JSON.parse(measured);
  if (sources !== (await digest("src/**/*.ts")))
    throw new Error(`${file} is of other sources, or of other files of them`);
  if (testFiles !== (await digest(TEST_FILES))) return NOTHING;
  const tried = (await readLines(file)).map((line): Tried => JSON.parse(line));
  return { tests, tried: new Map(tried.map((one) => [one.id, one])) };
}

/** Keeps what a first run of the tests measured. What survived others before is to be tried on these. */
export async function keepTests(file: string, tests: readonly Test[]): Promise<void> {
  const [sources, testFiles] = [await digest("src/**/*.ts"), await digest(TEST_FILES)];
  const found = (await readLines(file)).filter((line) => JSON.parse(line).result.status !== "survived");
  await writeFile(file, found.map((line) => `${line}\n`).join(""));
  await writeFile(besides(file), JSON.stringify({ sources, testFiles, tests } satisfies Measured));
}

/** Adds a line for a mutant that was tried, with where it is. */
export async function keepTried(file: string, mutant: object, tried: Tried): Promise<void> {
  await appendFile(file, `${JSON.stringify({ ...mutant, ...tried })}\n`);
}

function besides(file: string): string {
  return `${file}.tests`;
}

async function read(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function readLines(file: string): Promise<string[]> {
  return ((await read(file)) ?? "").split("\n").filter((line) => line !== "");
}

/** Of the sandbox's files, whose sources hold their mutants; nothing changes them while a process runs. */
async function digest(pattern: string): Promise<string> {
  const known = digests.get(pattern) ?? digestNow(pattern);
  digests.set(pattern, known);
  return await known;
}

const digests = new Map<string, Promise<string>>();

async function digestNow(pattern: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await Array.fromAsync(glob(pattern))).sort()) hash.update(await readFile(name));
  return hash.digest("hex");
}
