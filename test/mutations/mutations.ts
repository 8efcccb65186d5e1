import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { tellScores } from "./score.ts";
import { type MutantResult, mutateDomain, mutateUseCases } from "./stryker.ts";

/** The use cases that decide, the most important first; `--all` takes every other one too. */
const DECIDING = [
  "import-envelope",
  "take-in",
  "import-faults",
  "judge-listed",
  "reconcile-page",
  "reconcile-link",
  "finish-reconciliation",
  "end-link",
  "finish-linking",
  "receive-event",
  "delete-contract",
];

const DAY_MS = 24 * 60 * 60 * 1000;

/** It goes with the sandbox. */
const IN_SANDBOX = "progress.jsonl";

const HELP = `Tries what the tests notice: each mutant is the program with one thing changed.

  domain [NAME…]       all mutants of src/domain, or of the files named, on test/domain
  usecases [NAME…]     mutants of the use cases that decide, or of those named, on test/scenarios, test/api and commands' tests:
    --most N           so many of each file, spread evenly over it (10)
    --seconds N        tests that take so long together for each mutant (60)
    --all              all mutants of all use cases, on all tests that come by them

  --on NAME            tests of this file alone; may be said several times
  --at-once N          mutants under trial side by side (1)
  --progress FILE      a line of JSON for each mutant that was tried; a run of the same sources goes on from it, and tries
                       survivors again where it has more --seconds, or where tests have changed`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: "boolean", default: false },
    most: { type: "string", default: "10" },
    seconds: { type: "string", default: "60" },
    on: { type: "string", multiple: true, default: [] },
    "at-once": { type: "string", default: "1" },
    progress: { type: "string" },
  },
});
const [subject, ...names] = positionals;
const progressFile = values.progress === undefined ? IN_SANDBOX : resolve(values.progress);
const common = { progressFile, on: values.on, atOnce: Number(values["at-once"]) };
const everything = { ...common, most: Number.MAX_SAFE_INTEGER, mostMs: DAY_MS };
const some = { ...common, most: Number(values.most), mostMs: Number(values.seconds) * 1000 };

switch (subject) {
  case "domain":
    await tell(
      await mutateDomain(
        names.map((name) => `src/domain/${name}.ts`),
        everything,
      ),
    );
    break;
  case "usecases":
    await tell(await mutateUseCases(await listUseCases(), values.all ? everything : some));
    break;
  default:
    console.error(HELP);
    process.exitCode = 2;
}

async function listUseCases(): Promise<string[]> {
  if (!values.all || names.length > 0) {
    return (names.length > 0 ? names : DECIDING).map((name) => `src/usecases/${name}.ts`);
  }
  return (await readdir("src/usecases")).map((name) => `src/usecases/${name}`);
}

async function tell(results: readonly MutantResult[]): Promise<void> {
  if ((await tellScores(results)).length > 0) process.exitCode = 1;
}
