import { readFileSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { SERVER_VARIABLE } from "../support/postgres.ts";
import { chooseEvenly } from "./choice.ts";
import { COVERAGE_VARIABLE, type TestCoverage } from "./hook.ts";
import { type FileOrder, type FileRun, runTestFile } from "./run-test-file.ts";

/** What is asked of this runner, besides Stryker's own options. */
export type RunnerOptions = {
  readonly testFiles: readonly string[];
  /** So many mutants of each source file are tried, spread evenly over it. */
  readonly most: number;
  /** Tests that take longer together are not all run for one mutant: a survivor of some is none of the others. */
  readonly mostMs: number;
  /** A line of JSON is added to it for each mutant that was tried. */
  readonly progressFile: string;
};

/** The parts of Stryker's interface that this runner needs; its package of types is none of ours. */
type Mutant = { readonly id: string; readonly fileName: string };
type MutantRun = {
  readonly activeMutant: Mutant;
  readonly testFilter?: string[];
  /** Where the file lies that holds all its mutants. */
  readonly sandboxFileName: string;
};
type Coverage = Record<string, number>;

/** What Stryker loads: a runner that tries each mutant on the tests which come by it, those likeliest to object first. */
export const strykerPlugins = [{ kind: "TestRunner", name: "test-files", factory: createRunner }];

export const strykerValidationSchema = { properties: { trial: { type: "object" } } };

export const NOT_CHOSEN = "not chosen";

const TESTS = "tests-by-mutant.json";
const FIRST_LIMIT_MS = 600_000;

type Test = {
  readonly file: string;
  readonly name: string;
  readonly ms: number;
  /** The mutants of all source files that it comes by. */
  readonly mutants: readonly string[];
};

createRunner.inject = ["options"];

/** Runs in the sandbox: each mutant is switched on by a variable of the environment, as Stryker's code reads it. */
export function createRunner({ trial }: { trial: RunnerOptions }) {
  const kills = new Map<string, number>();
  return {
    capabilities: () => ({ reloadEnvironment: true }),
    dryRun: async () => await measure(trial.testFiles),
    async mutantRun({ activeMutant, testFilter, sandboxFileName }: MutantRun) {
      const siblings = mutantsOf(sandboxFileName);
      if (!chooseEvenly(siblings, trial.most).includes(activeMutant.id))
        return { status: "error", errorMessage: NOT_CHOSEN };
      const all = new Map<string, Test>(Object.entries(JSON.parse(await readFile(TESTS, "utf8"))));
      const covering = [...all].filter(([id]) => testFilter?.includes(id) ?? true).map(([, test]) => test);
      const inFile = new Set(siblings);
      const rated = covering.map((test) => ({
        test,
        kills: kills.get(`${activeMutant.fileName} ${test.file} ${test.name}`) ?? 0,
        breadth: test.mutants.filter((id) => inFile.has(id)).length,
      }));
      const tests = selectTests(rated, trial.mostMs);
      const { killer, ...result } = await tryMutant(activeMutant, tests);
      if (killer !== null) {
        const key = `${activeMutant.fileName} ${killer}`;
        kills.set(key, (kills.get(key) ?? 0) + 1);
      }
      const tried = { ...activeMutant, ...result, covering: covering.length, run: tests.length };
      await appendFile(trial.progressFile, `${JSON.stringify(tried)}\n`);
      return result;
    },
  };
}

/** All tests once, without any mutant: how long each takes, and which mutants it comes by. */
async function measure(testFiles: readonly string[]) {
  const tests: Record<string, Test> = {};
  const perTest: Record<string, Coverage> = {};
  for (const file of testFiles) {
    const folder = await mkdtemp(join(process.cwd(), "coverage-"));
    const run = await runInSandbox({
      file,
      tests: [],
      env: { [COVERAGE_VARIABLE]: folder },
      testLimitMs: FIRST_LIMIT_MS,
      limitMs: FIRST_LIMIT_MS,
    });
    if (run.kind !== "passed") {
      console.warn(`${file} is left out, as it fails without a mutant: ${JSON.stringify(run)}`);
      continue;
    }
    const covered = await readCoverage(folder);
    for (const [name, { ms, mutants }] of Object.entries(covered.tests)) {
      // What a module does when it is loaded, every test of the file rests on.
      const all = { ...covered.outside, ...mutants };
      tests[`${file} ${name}`] = { file, name, ms, mutants: Object.keys(all) };
      perTest[`${file} ${name}`] = all;
    }
    await rm(folder, { recursive: true });
  }
  await writeFile(TESTS, JSON.stringify(tests));
  const told = Object.entries(tests).map(([id, { file, ms }]) => ({
    id,
    name: id,
    fileName: file,
    timeSpentMs: ms,
    status: 0,
  }));
  return { status: "complete", tests: told, mutantCoverage: { static: {}, perTest } };
}

/** The processes that a test starts leave theirs beside it. */
async function readCoverage(folder: string): Promise<TestCoverage> {
  const sum: TestCoverage = { tests: {}, outside: {} };
  for (const name of await readdir(folder)) {
    const part: TestCoverage = JSON.parse(await readFile(join(folder, name), "utf8"));
    Object.assign(sum.tests, part.tests);
    Object.assign(sum.outside, part.outside);
  }
  return sum;
}

/** The instrumented file tells which mutants it has, so that every run chooses the same ones. */
function mutantsOf(instrumentedFile: string): string[] {
  const code = readFileSync(instrumentedFile, "utf8");
  const ids = new Set([...code.matchAll(/stryMutAct_\w+\("(\d+)"\)/g)].map((match) => Number(match[1])));
  return [...ids].sort((one, other) => one - other).map(String);
}

type Rated = { readonly test: Test; readonly kills: number; readonly breadth: number };

/**
 * Those first that objected to most mutants of this file so far, then those that come by most of its code, as tests
 * that are about it do; as far as the time allows.
 */
function selectTests(rated: readonly Rated[], mostMs: number): Test[] {
  let left = mostMs;
  return rated
    .toSorted(
      (one, other) => other.kills - one.kills || other.breadth - one.breadth || one.test.ms - other.test.ms,
    )
    .map(({ test }) => test)
    .filter(({ ms }) => {
      left -= ms;
      return left > 0;
    });
}

/** Runs the tests file by file, in the order of the first of each. */
async function tryMutant({ id }: Mutant, tests: readonly Test[]) {
  let nrOfTests = 0;
  for (const file of new Set(tests.map((test) => test.file))) {
    const own = tests.filter((test) => test.file === file);
    const limits = {
      testLimitMs: 10_000 + 4 * Math.max(...own.map(({ ms }) => ms)),
      limitMs: 20_000 + 4 * own.reduce((sum, { ms }) => sum + ms, 0),
    };
    const names = own.map(({ name }) => name);
    const run = await runInSandbox({
      file,
      tests: names,
      env: { __STRYKER_ACTIVE_MUTANT__: id },
      ...limits,
    });
    nrOfTests += own.length;
    if (run.kind === "passed") continue;
    const killer = `${file} ${run.failure}`;
    if (run.kind === "timeout") return { status: "timeout", reason: killer, killer } as const;
    const failureMessage = run.failure;
    return { status: "killed", killedBy: [killer], failureMessage, nrOfTests, killer } as const;
  }
  return { status: "survived", nrOfTests, killer: null } as const;
}

/** What a run that was ended early leaves behind goes too: its databases and its temporary files. */
async function runInSandbox(order: FileOrder): Promise<FileRun> {
  const folder = join(process.cwd(), "tmp");
  await mkdir(folder, { recursive: true });
  const run = await runTestFile({ ...order, env: { ...order.env, TMPDIR: folder } });
  await rm(folder, { recursive: true, force: true });
  if (run.kind !== "passed") await dropDatabases();
  return run;
}

async function dropDatabases(): Promise<void> {
  const server = process.env[SERVER_VARIABLE];
  if (server === undefined) return;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  const { rows } = await client.query("select datname from pg_database where datname like 'test\\_%'");
  for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  await client.end();
}
