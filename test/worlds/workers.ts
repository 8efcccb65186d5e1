import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { pino } from "pino";
import type { Foundation } from "../../src/foundation.ts";
import { runDueJobs } from "../../src/jobs/worker.ts";
import { unlockDeadWorkers } from "../../src/jobs/worker-pools.ts";
import type { Database } from "../../src/store/database.ts";
import { openDoomed } from "../support/doomed.ts";
import { strikeHour } from "../support/strike-hour.ts";
import type { World } from "../support/world.ts";
import type { Death } from "./moves.ts";
import { type Stage, tell } from "./stage.ts";

const silent = pino({ level: "silent" });
const PROGRAM = fileURLToPath(new URL("worker-process.ts", import.meta.url));
const MOST_PASSES = 100;
const CALM_MS = 40 * 60_000;

/** The parameters of a worker process: database, time, and number of concurrent jobs. */
export type Task = { readonly config: World["config"]; readonly now: Date; readonly atOnce: number };

type ProcessDeath = Extract<Death, { at: "process" }>;

/** A worker runs the due jobs, under the faults that are planned, until none is left or it dies. */
export async function work(stage: Stage, death: Death): Promise<void> {
  const { weather } = stage;
  tell(stage, death === null ? "a worker works" : `a worker works, and dies at ${death.at} ${death.number}`);
  stage.isDisturbed = true;
  weather.isBad = true;
  await (death?.at === "process" ? workUntilKilled(stage, death) : workHere(stage, death));
  weather.isBad = false;
}

/** A worker in this process; its death cuts its database connections, as the end of a process does. */
async function workHere({ world, plan }: Stage, death: Exclude<Death, ProcessDeath>): Promise<void> {
  const { tasks, working } = world.service.foundation;
  const statement = death?.at === "statement" ? death.number : Number.POSITIVE_INFINITY;
  await using doomed = openDoomed(world.database.connectionString, statement);
  const shift = { isOn: true, calls: 0 };
  if (death?.at === "call")
    world.docusign.onNext(
      () => shift.isOn && (shift.calls += 1) === death.number,
      () => doomed.kill(),
    );
  const mortal = { tasks: { ...tasks, db: doomed.db }, working };
  await workDue(mortal, { now: world.clock.now, atOnce: plan.atOnce, isAlive: doomed.isAlive });
  shift.isOn = false;
}

/** A worker process is killed with SIGKILL amid its work; the check for dead workers then frees its locks. */
async function workUntilKilled({ world, plan }: Stage, death: ProcessDeath): Promise<void> {
  const child = fork(PROGRAM, { serialization: "advanced", execArgv: [], stdio: "ignore" });
  const exited = once(child, "exit");
  killAtCall(world, child, death);
  const done = once(child, "message");
  child.send({ config: world.config, now: new Date(world.clock.now), atOnce: plan.atOnce } satisfies Task);
  await Promise.race([done, exited]);
  child.kill("SIGKILL");
  await exited;
  const { db } = world.service.foundation.working;
  await unlockDeadWorkers({ db, log: silent, patienceMs: 0 });
}

function killAtCall(world: World, child: ChildProcess, { number, afterMs }: ProcessDeath): void {
  let seen = 0;
  const isTheCall = (): boolean => {
    if (child.exitCode === null && child.signalCode === null) seen += 1;
    return seen === number;
  };
  world.docusign.onNext(isTheCall, () => void sleep(afterMs).then(() => child.kill("SIGKILL")));
}

/** Runs the jobs that are due and those that they queue, as long as the worker is alive. */
export async function workDue(
  { tasks, working }: Pick<Foundation, "tasks" | "working">,
  { now, atOnce, isAlive }: { now: Date; atOnce: number; isAlive: () => boolean },
): Promise<void> {
  const options = { pgPool: working.pool, log: silent, concurrency: atOnce, events: new EventEmitter() };
  for (let pass = 0; pass < MOST_PASSES && isAlive(); pass += 1) {
    if ((await makeDue(working.db, now)) === 0) return;
    await runDueJobs({ ...tasks, log: silent }, options);
  }
  if (isAlive()) throw new Error("jobs queue one another without end");
}

/** The hourly jobs are queued. The first workers may die; the next ones finish everything that is due soon. */
export async function strike(stage: Stage, hour: Date, deaths: readonly Death[]): Promise<void> {
  const { clock, service } = stage.world;
  clock.now = hour;
  tell(stage, "the hour strikes");
  await strikeHour(service.foundation.tasks.db, hour);
  for (const death of deaths) await work(stage, death);
  stage.world.docusign.calmDown();
  await calmDown(stage, hour);
}

/** Repeats until nothing is due for some time. */
async function calmDown(stage: Stage, hour: Date): Promise<void> {
  const { world } = stage;
  const end = new Date(hour.getTime() + CALM_MS);
  await forgetReplaced(world.service.foundation.working.db);
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    await world.runJobs();
    const next = await nextJob(stage);
    if (next === null || next > end) return;
    if (next > world.clock.now) world.clock.now = next;
  }
  throw new Error("jobs queue one another without end");
}

/** A job that was replaced while it ran is not repeated after the death of its worker: the new one does its work. */
async function forgetReplaced(db: Database): Promise<void> {
  await sql`
    delete from graphile_worker._private_jobs
    where key is null and attempts >= max_attempts and last_error = 'killed' and locked_at is null`.execute(
    db,
  );
}

/** The queue goes by the database's clock: makes due there what is due by ours, and what a dead worker left. */
async function makeDue(db: Database, now: Date): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update graphile_worker._private_jobs set run_at = now(), attempts = 0, last_error = null
    where (run_at <= ${now} or last_error is not null) and locked_at is null`.execute(db);
  return Number(numAffectedRows);
}

async function nextJob({ world }: Stage): Promise<Date | null> {
  const { rows } = await sql<{
    next: Date | null;
  }>`select min(run_at) as next from graphile_worker.jobs`.execute(world.service.foundation.working.db);
  return rows[0]?.next ?? null;
}
