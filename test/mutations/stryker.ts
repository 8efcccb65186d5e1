import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";
import type { RunnerOptions } from "./runner.ts";

type Options = NonNullable<ConstructorParameters<typeof Stryker>[0]>;
export type MutantResult = Awaited<ReturnType<Stryker["runMutationTest"]>>[number];

export type Trial = Omit<RunnerOptions, "testFiles" | "triedFiles"> & {
  /** Names of the test files that are tried; none: all of them. */
  readonly on: readonly string[];
  /** So many mutants are tried at once, each runner with a PostgreSQL of its own. */
  readonly atOnce: number;
};

/** Tries mutants of the given files of the domain, or of all of them, on the tests of the domain. */
export async function mutateDomain(files: readonly string[], trial: Trial): Promise<MutantResult[]> {
  return await mutate(files.length > 0 ? files : ["src/domain/*.ts"], {
    ...trial,
    testFiles: await listTests("test/domain"),
  });
}

/** Tries mutants of the given use cases on the scenarios, the API's tests and those of commands. */
export async function mutateUseCases(files: readonly string[], trial: Trial): Promise<MutantResult[]> {
  const testFiles = [
    ...(await listTests("test/scenarios")),
    ...(await listTests("test/api")),
    ...COMMANDS.map((name) => `test/cli/${name}.test.ts`),
  ];
  return await mutate(files, { ...trial, testFiles });
}

/** The runner has limits of its own, for each file of tests. */
const HOURS_MS = 3 * 60 * 60 * 1000;

/** In a copy of the project, which goes afterwards: the project itself is never changed. */
async function mutate(
  files: readonly string[],
  { atOnce, on, ...rest }: Omit<RunnerOptions, "triedFiles"> & Trial,
): Promise<MutantResult[]> {
  const isOn = (file: string): boolean =>
    on.length === 0 || on.some((name) => file.endsWith(`/${name}.test.ts`));
  const trial: RunnerOptions = { ...rest, triedFiles: rest.testFiles.filter(isOn) };
  const tempDirName = await mkdtemp(join(tmpdir(), "torikomi-mutations-"));
  const options: Options = {
    mutate: [...files],
    testRunner: "test-files",
    plugins: [fileURLToPath(new URL("./runner.ts", import.meta.url))],
    trial,
    coverageAnalysis: "perTest",
    concurrency: atOnce,
    incremental: false,
    timeoutMS: HOURS_MS,
    dryRunTimeoutMinutes: 60,
    reporters: ["progress-append-only"],
    disableTypeChecks: false,
    // It would be rewritten for the copy, by an interface that TypeScript 7 has no more.
    tsconfigFile: "none",
    ignorePatterns: ["deploy", "data"],
    allowConsoleColors: false,
    tempDirName,
  };
  try {
    return await new Stryker(options).runMutationTest();
  } finally {
    await rm(tempDirName, { recursive: true, force: true });
  }
}

/** Operators' commands that run use cases; their tests run them in the tests' own process. */
const COMMANDS = ["doctor", "explain", "reconcile", "reencrypt", "replay"];

/** Chaos and random worlds are another matter, with chances of their own. */
const LEFT_OUT = ["chaos.test.ts", "worlds.test.ts"];

async function listTests(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith(".test.ts") && !LEFT_OUT.includes(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}
