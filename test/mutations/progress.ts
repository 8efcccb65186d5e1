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

/** Reads how far runs of the same sources came; throws where the file is of other sources, whose mutants are others. */
export async function readProgress(file: string): Promise<Progress> {
  const measured = await read(besides(file));
  if (measured === null) return { tests: [], tried: new Map() };
  const { sources, tests }: { sources: string; tests: Test[] } = JSON.parse(measured);
  if (sources !== (await digestSources()))
    throw new Error(`${file} is of other sources, or of other files of them`);
  const lines = ((await read(file)) ?? "").split("\n").filter((line) => line !== "");
  return { tests, tried: new Map(lines.map((line): Tried => JSON.parse(line)).map((one) => [one.id, one])) };
}

/** Keeps what the first run of the tests measured. */
export async function keepTests(file: string, tests: readonly Test[]): Promise<void> {
  await writeFile(besides(file), JSON.stringify({ sources: await digestSources(), tests }));
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

/** Of the sandbox's sources, which hold their mutants. */
async function digestSources(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await Array.fromAsync(glob("src/**/*.ts"))).sort()) hash.update(await readFile(name));
  return hash.digest("hex");
}
