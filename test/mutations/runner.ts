import { readFileSync } from "node:fs";
import pg from "pg";
import { SERVER_VARIABLE, startTestServer, type TestServer } from "../support/postgres.ts";
import { chooseEvenly } from "./choice.ts";
import type { HostOrder } from "./host.ts";
import { keepTests, keepTried, type Progress, readProgress, type Test, type Tried } from "./progress.ts";
import { type Outcome, startTestHost, type TestHost } from "./test-host.ts";

/** What is asked of this runner, besides Stryker's own options. */
export type RunnerOptions = {
  readonly testFiles: readonly string[];
  /** Of these, the ones whose tests mutants are tried on; measured are all, as a later run may try others. */
  readonly triedFiles: readonly string[];
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

/** Files are measured so many at once: nothing else runs before mutants are tried. */
const AT_ONCE = 2;

const FIRST_LIMIT_MS = 600_000;

createRunner.inject = ["options"];

/** Runs in the sandbox: each mutant is switched on in a process that has loaded all of them. */
export function createRunner({ trial }: { trial: RunnerOptions }) {
  const { progressFile } = trial;
  let server: TestServer | null = null;
  const hosts = keepHosts();
  return {
    capabilities: () => ({ reloadEnvironment: true }),
    async init() {
      server = await startTestServer();
      process.env[SERVER_VARIABLE] = server.adminUrl;
    },
    async dispose() {
      await hosts[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    },
    async dryRun() {
      const before = await readProgress(progressFile);
      if (before.tests.length > 0) return tellStryker(before.tests);
      try {
        const tests = await measure(trial.testFiles);
        await keepTests(progressFile, tests);
        return tellStryker(tests);
      } catch (error) {
        // Thrown, it would be tried twice more.
        return { status: "error", errorMessage: String(error) };
      }
    },
    async mutantRun({ activeMutant, sandboxFileName }: MutantRun) {
      const { id } = activeMutant;
      const siblings = mutantsOf(sandboxFileName);
      if (!chooseEvenly(siblings, trial.most).includes(id))
        return { status: "error", errorMessage: NOT_CHOSEN };
      // Other runners write to it too.
      const progress = await readProgress(progressFile);
      const before = progress.tried.get(id);
      if (before !== undefined && !mayBeKilledYet(before, trial)) return before.result;
      const { result, ...how } = await tryMutant({ id, siblings, ...progress }, { hosts, ...trial });
      await keepTried(progressFile, activeMutant, { id, result, mostMs: trial.mostMs, ...how });
      return result;
    },
  };
}

/** Survived what was run of its tests, where more may be run now. */
function mayBeKilledYet({ result, run, covering, mostMs }: Tried, trial: RunnerOptions): boolean {
  return result.status === "survived" && run < covering && mostMs < trial.mostMs;
}

/**
 * All tests once, without any mutant: how long each takes, and which mutants make a difference in it. Throws where one
 * fails however often it is run.
 */
async function measure(testFiles: readonly string[]): Promise<Test[]> {
  const tests: Test[] = [];
  const files = testFiles.values();
  const take = async (): Promise<void> => {
    for (const file of files) tests.push(...(await measureFile(file)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return tests;
}

async function measureFile(file: string): Promise<Test[]> {
  // For each file its own, as what modules do when they are loaded is seen once in a process.
  await using host = await startTestHost({ measuring: true });
  const loaded = await host.ask({ kind: "load", file }, FIRST_LIMIT_MS);
  if (loaded.kind !== "loaded") throw new Error(tell(loaded));
  const tests: Test[] = [];
  for (const name of loaded.names) {
    const outcome = await askPatiently(host, { kind: "run", file, name, mutant: null });
    if (outcome.kind !== "passed") throw new Error(`${file}: ${name}: ${tell(outcome)}`);
    const { ms, mutants } = outcome;
    tests.push({ file, name, ms, mutants: [...new Set(mutants)], loading: loaded.mutants });
  }
  return tests;
}

/** A machine that is busy with other things must not spoil all that was measured. */
async function askPatiently(host: TestHost, order: HostOrder): Promise<Outcome> {
  for (let left = TRIES; ; left -= 1) {
    const outcome = await host.ask(order, FIRST_LIMIT_MS);
    if (outcome.kind === "passed" || left === 1) return outcome;
  }
}

const TRIES = 3;

function tellStryker(tests: readonly Test[]) {
  const told = tests.map((test) => ({
    id: idOf(test),
    name: idOf(test),
    fileName: test.file,
    timeSpentMs: test.ms,
    status: 0,
  }));
  const perTest = Object.fromEntries(
    tests.map((test) => [idOf(test), Object.fromEntries(mutantsBy(test).map((id) => [id, 1]))]),
  );
  return { status: "complete", tests: told, mutantCoverage: { static: {}, perTest } };
}

/** What a module does when it is loaded, every test of the file rests on. */
function mutantsBy({ mutants, loading }: Test): string[] {
  return [...mutants, ...loading];
}

function idOf({ file, name }: Test): string {
  return `${file} ${name}`;
}

/** The instrumented file tells which mutants it has, so that every run chooses the same ones. */
function mutantsOf(instrumentedFile: string): string[] {
  const code = readFileSync(instrumentedFile, "utf8");
  const ids = new Set([...code.matchAll(/stryMutAct_\w+\("(\d+)"\)/g)].map((match) => Number(match[1])));
  return [...ids].sort((one, other) => one - other).map(String);
}

/** So many mutants on either side of one are its neighbours: they stand in the same function, or close by. */
const NEIGHBOURS = 20;

type Situation = Progress & {
  readonly id: string;
  /** All mutants of the file, in the order of its code. */
  readonly siblings: readonly string[];
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
      coming: tests.filter((test) => comesBy(test, one.neighbour)).length,
      killer: tried.get(one.neighbour)?.killer ?? null,
      vain: new Set(tried.get(one.neighbour)?.vain),
    }));
  const credit = creditFiles(siblings, tried);
  const rate = (test: Test): number => {
    const sum = neighbours
      .filter(({ neighbour }) => comesBy(test, neighbour))
      .reduce((rating, { nearness, coming, killer }) => {
        return rating + nearness * (1 / coming + (killer === idOf(test) ? 1 : 0));
      }, 0);
    const vain = neighbours.filter((one) => one.vain.has(idOf(test)));
    const doubt = vain.reduce((doubts, { nearness }) => doubts + nearness, 0);
    const trust = 1 + TRUST * (credit.get(test.file) ?? 0);
    return (trust * sum) / (SHORT_MS + test.ms) / (1 + VAIN * doubt);
  };
  const rated = covering.map((test) => ({ test, rating: rate(test) }));
  return rated.toSorted((one, other) => other.rating - one.rating).map(({ test }) => test);
}

/** Of each file of tests, the share of this source's mutants so far that its tests have objected to. */
function creditFiles(siblings: readonly string[], tried: ReadonlyMap<string, Tried>): Map<string, number> {
  const killers = siblings
    .map((sibling) => tried.get(sibling)?.killer ?? null)
    .filter((killer) => killer !== null);
  const credit = new Map<string, number>();
  for (const killer of killers) {
    const [file = ""] = killer.split(" ");
    credit.set(file, (credit.get(file) ?? 0) + 1 / killers.length);
  }
  return credit;
}

/** Tests that stand beside those which objected are about the same. */
const TRUST = 20;

/** So much less is expected of a test that the neighbour has survived. */
const VAIN = 4;

/** Below this, no test is preferred for being short. */
const SHORT_MS = 100;

/** As far as the time allows: one that is too long leaves it to others. */
function selectTests(tests: readonly Test[], mostMs: number): Test[] {
  let left = mostMs;
  return tests.filter(({ ms }) => {
    if (ms > left) return false;
    left -= ms;
    return true;
  });
}

/** A test may hang under a mutant: so much longer than without. */
const limitOf = ({ ms }: Test): number => 10_000 + 4 * ms;

type Hosts = AsyncDisposable & {
  /** It is another where the last one has ended. */
  get(): Promise<TestHost>;
  renew(): Promise<void>;
};

type Means = Pick<RunnerOptions, "mostMs" | "triedFiles"> & { readonly hosts: Hosts };

/** On tests that come by it, until one objects. */
async function tryMutant(
  situation: Situation,
  { hosts, mostMs, triedFiles }: Means,
): Promise<Omit<Tried, "id" | "mostMs">> {
  const { id } = situation;
  const covering = situation.tests.filter((test) => comesBy(test, id));
  const tried = covering.filter(({ file }) => triedFiles.includes(file));
  const selected = selectTests(orderTests(tried, situation), mostMs);
  const counts = { covering: covering.length, run: selected.length };
  // What was done when a module was loaded cannot be done otherwise afterwards.
  const atLoading = covering.some(({ loading }) => loading.includes(id));
  await using own = keepHosts(id);
  for (const test of selected) {
    const objection = atLoading ? await tryOnce(test, id, own) : await tryThrice(test, id, hosts);
    if (objection === null) continue;
    const killer = idOf(test);
    return { result: { ...objection, killedBy: [killer] }, killer, vain: [], ...counts };
  }
  return { result: { status: "survived" }, killer: null, vain: selected.map(idOf), ...counts };
}

type Objection =
  | { readonly status: "killed"; readonly failureMessage: string }
  | { readonly status: "timeout"; readonly reason: string };

/** Where the mutant is on from the beginning, there is no test without it. */
async function tryOnce(test: Test, id: string, hosts: Hosts): Promise<Objection | null> {
  const outcome = await run(test, id, hosts);
  return outcome.kind === "passed" ? null : objectionOf(outcome);
}

/**
 * A test objects that fails under the mutant, passes without it, and fails under it again: neither chance nor what an
 * earlier mutant has left in the process counts.
 */
async function tryThrice(test: Test, id: string, hosts: Hosts): Promise<Objection | null> {
  const first = await run(test, id, hosts);
  if (first.kind === "passed") return null;
  if (first.kind === "timeout") return objectionOf(first);
  if ((await run(test, null, hosts)).kind !== "passed") await hosts.renew();
  return await tryOnce(test, id, hosts);
}

async function run(test: Test, mutant: string | null, hosts: Hosts): Promise<Outcome> {
  const host = await hosts.get();
  return await host.ask({ kind: "run", file: test.file, name: test.name, mutant }, limitOf(test));
}

function objectionOf(outcome: Outcome): Objection {
  return outcome.kind === "timeout"
    ? { status: "timeout", reason: tell(outcome) }
    : { status: "killed", failureMessage: tell(outcome) };
}

function tell(outcome: Outcome): string {
  return outcome.kind === "failed" ? outcome.reason : outcome.kind;
}

function comesBy({ mutants, loading }: Test, id: string): boolean {
  return mutants.includes(id) || loading.includes(id);
}

/** What a host that was ended early leaves behind goes too: its databases and its temporary files. */
function keepHosts(mutant: string | null = null): Hosts {
  let current: TestHost | null = null;
  const end = async (): Promise<void> => {
    await current?.[Symbol.asyncDispose]();
    current = null;
  };
  return {
    async get() {
      if (current?.ended === true) await this.renew();
      current ??= await startTestHost({ mutant });
      return current;
    },
    async renew() {
      await end();
      await dropDatabases();
    },
    [Symbol.asyncDispose]: end,
  };
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
