import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { SERVER_VARIABLE, startTestServer, type TestServer } from "../support/postgres.ts";
import { chooseEvenly } from "./choice.ts";
import { COVERAGE_VARIABLE, type TestCoverage } from "./hook.ts";
import { keepTests, keepTried, readProgress, type Test, type Tried } from "./progress.ts";
import { type FileOrder, type FileRun, runTestFile } from "./run-test-file.ts";

/** What is asked of this runner, besides Stryker's own options. */
export type RunnerOptions = {
  readonly testFiles: readonly string[];
  /** So many mutants of each source file are tried, spread evenly over it. */
  readonly most: number;
  /** Tests that take longer together are not all run for one mutant: a survivor of some is none of the others. */
  readonly mostMs: number;
  /** Where a line of JSON is added for each mutant that was tried; a run that was broken off goes on from it. */
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

/** What Stryker loads: a runner that tries each mutant on the tests which come by it, those likeliest to object first. */
export const strykerPlugins = [{ kind: "TestRunner", name: "test-files", factory: createRunner }];

export const strykerValidationSchema = { properties: { trial: { type: "object" } } };

export const NOT_CHOSEN = "not chosen";

const FIRST_LIMIT_MS = 600_000;

createRunner.inject = ["options"];

/** Runs in the sandbox: each mutant is switched on by a variable of the environment, as Stryker's code reads it. */
export function createRunner({ trial }: { trial: RunnerOptions }) {
  const { progressFile } = trial;
  let server: TestServer | null = null;
  return {
    capabilities: () => ({ reloadEnvironment: true }),
    async init() {
      server = await startTestServer();
      process.env[SERVER_VARIABLE] = server.adminUrl;
    },
    async dispose() {
      await server?.[Symbol.asyncDispose]();
    },
    async dryRun() {
      const before = await readProgress(progressFile);
      if (before.tests.length > 0) return tellStryker(before.tests);
      const tests = await measure(trial.testFiles);
      await keepTests(progressFile, tests);
      return tellStryker(tests);
    },
    async mutantRun({ activeMutant, sandboxFileName }: MutantRun) {
      const { id } = activeMutant;
      // Other runners write to it too.
      const { tests, tried } = await readProgress(progressFile);
      const siblings = mutantsOf(sandboxFileName);
      if (!chooseEvenly(siblings, trial.most).includes(id))
        return { status: "error", errorMessage: NOT_CHOSEN };
      const before = tried.get(id);
      if (before !== undefined && !mayBeKilledYet(before, trial)) return before.result;
      const covering = tests.filter(({ mutants }) => mutants.includes(id));
      const likeliest = orderTests(covering, { id, siblings, tests, tried });
      const selected = selectTests(likeliest, trial.mostMs);
      const { killer, ...result } = await tryMutant(activeMutant, selected);
      const vain = result.status === "survived" ? selected.map(idOf) : [];
      const numbers = { covering: covering.length, run: selected.length, mostMs: trial.mostMs, vain };
      await keepTried(progressFile, activeMutant, { id, result, killer, ...numbers });
      return result;
    },
  };
}

/** Survived what was run of its tests, where more may be run now. */
function mayBeKilledYet({ result, run, covering, mostMs }: Tried, trial: RunnerOptions): boolean {
  return result.status === "survived" && run < covering && mostMs < trial.mostMs;
}

/** All tests once, without any mutant: how long each takes, and which mutants it comes by. */
async function measure(testFiles: readonly string[]): Promise<Test[]> {
  const tests: Test[] = [];
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
      tests.push({ file, name, ms, mutants: Object.keys({ ...covered.outside, ...mutants }) });
    }
    await rm(folder, { recursive: true });
  }
  return tests;
}

function tellStryker(tests: readonly Test[]) {
  const told = tests.map((test) => ({
    id: idOf(test),
    name: idOf(test),
    fileName: test.file,
    timeSpentMs: test.ms,
    status: 0,
  }));
  const perTest = Object.fromEntries(
    tests.map((test) => [idOf(test), Object.fromEntries(test.mutants.map((id) => [id, 1]))]),
  );
  return { status: "complete", tests: told, mutantCoverage: { static: {}, perTest } };
}

function idOf({ file, name }: Test): string {
  return `${file} ${name}`;
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

/** So many mutants on either side of one are its neighbours: they stand in the same function, or close by. */
const NEIGHBOURS = 20;

type Situation = {
  readonly id: string;
  /** All mutants of the file, in the order of its code. */
  readonly siblings: readonly string[];
  readonly tests: readonly Test[];
  readonly tried: ReadonlyMap<string, Tried>;
};

/**
 * Those first that tell most for their time: that come by neighbours which few others come by, as tests that are about
 * this code do, and that have objected to neighbours already; those last that neighbours have survived. The nearer
 * the neighbour, the more it counts.
 */
function orderTests(covering: readonly Test[], { id, siblings, tests, tried }: Situation): Test[] {
  const place = siblings.indexOf(id);
  const neighbours = siblings
    .map((neighbour, index) => ({ neighbour, nearness: 1 / (1 + Math.abs(index - place)) }))
    .slice(Math.max(0, place - NEIGHBOURS), place + NEIGHBOURS + 1)
    .map((one) => ({
      ...one,
      coming: tests.filter(({ mutants }) => mutants.includes(one.neighbour)).length,
      killer: tried.get(one.neighbour)?.killer ?? null,
      vain: new Set(tried.get(one.neighbour)?.vain),
    }));
  const rate = (test: Test): number => {
    const known = new Set(test.mutants);
    const sum = neighbours
      .filter(({ neighbour }) => known.has(neighbour))
      .reduce((rating, { nearness, coming, killer }) => {
        return rating + nearness * (1 / coming + (killer === idOf(test) ? 1 : 0));
      }, 0);
    const vain = neighbours.filter((one) => one.vain.has(idOf(test)));
    const doubt = vain.reduce((doubts, { nearness }) => doubts + nearness, 0);
    return sum / (START_MS + test.ms) / (1 + VAIN * doubt);
  };
  const rated = covering.map((test) => ({ test, rating: rate(test) }));
  return rated.toSorted((one, other) => other.rating - one.rating).map(({ test }) => test);
}

/** So much less is expected of a test that the neighbour has survived. */
const VAIN = 4;

/** What a test costs at least: a process that loads the program. */
const START_MS = 1_000;

/** As far as the time allows. */
function selectTests(tests: readonly Test[], mostMs: number): Test[] {
  let left = mostMs;
  return tests.filter(({ ms }) => {
    left -= ms;
    return left > 0;
  });
}

/** So many of the likeliest are run before all others of their file. */
const LIKELIEST = 5;

/** What is run in one process: tests of one file, the likeliest first. */
function inBatches(tests: readonly Test[]): Test[][] {
  const first = tests.slice(0, LIKELIEST).filter(({ file }) => file === tests[0]?.file);
  const others = tests.filter((test) => !first.includes(test));
  const files = [...new Set(others.map(({ file }) => file))];
  return [first, ...files.map((file) => others.filter((test) => test.file === file))].filter(
    (batch) => batch.length > 0,
  );
}

async function tryMutant({ id }: Mutant, tests: readonly Test[]) {
  let nrOfTests = 0;
  for (const batch of inBatches(tests)) {
    const limits = {
      testLimitMs: 10_000 + 4 * Math.max(...batch.map(({ ms }) => ms)),
      limitMs: 20_000 + 4 * batch.reduce((sum, { ms }) => sum + ms, 0),
    };
    const file = batch[0]?.file ?? "";
    const names = batch.map(({ name }) => name);
    const env = { __STRYKER_ACTIVE_MUTANT__: id };
    const run = await runInSandbox({ file, tests: names, env, ...limits });
    nrOfTests += batch.length;
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
  const folder = join(process.cwd(), `tmp-${process.pid}`);
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
