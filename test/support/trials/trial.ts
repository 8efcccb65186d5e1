import { setTimeout as pause } from "node:timers/promises";
import { until } from "../waiting.ts";
import { compareContracts, compareEvents } from "./accounts.ts";
import { countConnections, countLeaked, countOldTransactions, countStuckJobs } from "./activity.ts";
import { createGround, type Ground, type GroundOptions } from "./ground.ts";
import { type Sender, startSender } from "./sender.ts";

/** A fault, brought about while events come in. */
export type Trial = {
  readonly name: string;
  /** Description for the table. */
  readonly fault: string;
  readonly befall: (ground: Ground) => Promise<void>;
  readonly options?: GroundOptions;
  /** True if the processes notice the fault: their logs must then mention it. Otherwise they must contain no error. */
  readonly isTold?: boolean;
};

export type Result = {
  readonly name: string;
  readonly fault: string;
  /** Empty where all was as promised. */
  readonly problems: readonly string[];
  readonly envelopes: number;
  readonly answers: ReadonlyMap<string, number>;
  readonly lost: number;
  /** Seconds from the fault's end until every message was answered and every announced envelope imported. */
  readonly recoveredAfter: number;
  /** Seconds from then until no dead worker's job was locked. */
  readonly unlockedAfter: number;
  readonly connections: number;
};

export type Pace = { readonly perSecond: number; readonly beforeMs: number; readonly afterMs: number };

const USUAL_PACE: Pace = { perSecond: 5, beforeMs: 4_000, afterMs: 4_000 };
const RECOVERY_MS = 240_000;
const TWO_MINUTES_MS = 120_000;

/** Brings the fault about under load, waits for calm, reconciles, and looks whether every promise was kept. */
export async function runTrial(
  trial: Trial,
  wish: { ground: GroundOptions; pace?: Pace; restMs?: number },
): Promise<Result> {
  await using ground = await createGround({ ...wish.ground, ...trial.options });
  const { beforeMs, afterMs, perSecond } = wish.pace ?? USUAL_PACE;
  ground.docusign.holdDeliveries();
  await using sender = startSender(ground.docusign);
  const load = startLoad(ground, perSecond);
  await pause(beforeMs);
  await trial.befall(ground);
  const endedAt = performance.now();
  await pause(afterMs);
  const envelopes = await load.stop();
  await sender.drained();
  await until(async () => await isImported(ground, sender), "what was announced is imported", RECOVERY_MS);
  const recoveredAfter = secondsSince(endedAt) - afterMs / 1000;
  await until(
    async () => (await countStuckJobs(ground.database.db)) === 0,
    "no dead worker's job is locked",
    TWO_MINUTES_MS,
  );
  const unlockedAfter = secondsSince(endedAt) - afterMs / 1000;
  const problems = [
    ...(await reconcile(ground)),
    ...(await examine(ground, sender, trial, wish.restMs ?? REST_MS)),
  ];
  const connections = await countConnections(ground.database.db);
  return {
    name: trial.name,
    fault: trial.fault,
    problems,
    envelopes,
    answers: sender.answers,
    lost: sender.lost.length,
    recoveredAfter: Math.max(0, recoveredAfter),
    unlockedAfter: Math.max(0, unlockedAfter),
    connections,
  };
}

function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000;
}

/** Concludes envelopes, sent by the account and received from elsewhere, until it is stopped; then tells how many. */
function startLoad(ground: Ground, perSecond: number): { stop(): Promise<number> } {
  let stopped = false;
  let count = 0;
  const run = async (): Promise<number> => {
    while (!stopped) {
      count += 1;
      await concludeOne(ground, count);
      await pause(1000 / perSecond);
    }
    return count;
  };
  const running = run();
  return {
    stop: async () => {
      stopped = true;
      return await running;
    },
  };
}

async function concludeOne({ docusign, admin, colleague, partner }: Ground, number: number): Promise<void> {
  const customer = { name: "客", email: "kyaku@example.com" };
  const documents = [{ name: `契約書 ${number}.pdf`, sizeInBytes: 60_000 }, { name: "別紙.pdf" }];
  await docusign.concludeEnvelope({
    from: number % 3 === 0 ? partner : colleague,
    to: [number % 3 === 0 ? admin : customer],
    documents: documents.slice(0, 1 + (number % 2)),
    subject: `契約 ${number}`,
  });
}

async function isImported({ database }: Ground, sender: Sender): Promise<boolean> {
  const announced = new Set([...sender.accepted].map(({ envelopeId }) => envelopeId));
  const rows = await database.db
    .selectFrom("envelope")
    .select("envelope_id")
    .where("state", "=", "imported")
    .execute();
  const imported = new Set(rows.map((row) => row.envelope_id));
  return announced.isSubsetOf(imported);
}

const RECONCILE_TRIES = 4;

/** 75 says that it cannot be done now; then it is done a little later, as an operator would. */
async function reconcile(ground: Ground): Promise<string[]> {
  let output = "";
  for (let attempt = 0; attempt < RECONCILE_TRIES; attempt += 1) {
    const ended = await ground.command(["reconcile"]);
    if (ended.status === 0) return [];
    output = `reconcile ended with ${ended.status ?? ended.signal}: ${ended.output}`;
    await pause(5_000);
  }
  return [output];
}

async function examine(ground: Ground, sender: Sender, trial: Trial, restMs: number): Promise<string[]> {
  const problems = [...(await compareEvents(ground, sender)), ...(await compareContracts(ground))];
  await pause(restMs);
  const unrest = await waitForRest(ground);
  return [...problems, ...unrest, ...ground.docusign.problems, ...examinePrograms(ground, trial)];
}

/** Longer than pools keep idle connections. */
const REST_MS = 15_000;

/** Locks that are still held after the same time again. */
async function waitForRest(ground: Ground): Promise<string[]> {
  const deadline = performance.now() + REST_MS;
  let unrest = await listUnrest(ground);
  while (unrest.length > 0 && performance.now() < deadline) {
    await pause(200);
    unrest = await listUnrest(ground);
  }
  return unrest;
}

async function listUnrest(ground: Ground): Promise<string[]> {
  const { db } = ground.database;
  const most = connectionsAtRest(ground);
  const counts: [number, string][] = [
    [(await countConnections(db)) - most, `connections beyond the ${most} that our processes hold at rest`],
    [await countLeaked(db), "connections that were never given back"],
    [await countOldTransactions(db), "transactions that were left open"],
    [await countStuckJobs(db), "jobs that are locked by nobody"],
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}

/** Listening for changes, a query now and then, and the two that record events; the lock, listening for jobs, and each worker's look for a job. */
function connectionsAtRest({ programs, environment }: Ground): number {
  const names = [...programs.keys()];
  const works = names.filter((name) => name.startsWith("work")).length;
  return 4 * (names.length - works) + works * (2 + Number(environment["WORKER_CONCURRENCY"]));
}

/** Reports processes that ended unexpectedly, wrote anything except log lines, or logged an internal fault. */
function examinePrograms({ programs, gone }: Ground, { isTold = false }: Trial): string[] {
  const all = [...programs.values(), ...gone];
  return [
    ...[...programs.values()].filter(({ ended }) => ended !== null).map(({ name }) => `${name} has ended`),
    ...gone
      .filter(({ ended }) => ended?.signal !== "SIGKILL" && ended?.status !== 0)
      .map(({ name, ended }) => `${name} ended with ${ended?.status ?? ended?.signal}`),
    ...all.flatMap(({ name, noise }) => noise.map((line) => `${name} said: ${line}`)),
    ...(isTold ? [] : all.flatMap(faultsOf)),
    ...(isTold && !all.some(({ lines }) => lines.some(({ level }) => level >= 40))
      ? ["no log mentions the fault"]
      : []),
  ];
}

function faultsOf({ name, lines }: { name: string; lines: Ground["gone"][number]["lines"] }): string[] {
  const faults = lines
    .filter(({ level }) => level >= 50)
    .map((line) => `${name} logged: ${JSON.stringify(line)}`);
  return [...new Set(faults)].slice(0, 3);
}
