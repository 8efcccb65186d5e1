import { EventEmitter } from "node:events";
import { sql } from "kysely";
import { pino } from "pino";
import { runDueJobs } from "../../src/jobs/worker.ts";
import { strikeHour } from "../support/chaos/outcome.ts";
import { openDoomed } from "../support/doomed.ts";
import type { Death } from "./moves.ts";
import { type Stage, tell } from "./stage.ts";

const silent = pino({ level: "silent" });
const MOST_PASSES = 60;
const CALM_MS = 40 * 60_000;

/** A worker does what is due in whatever weather, until nothing is or until it dies. */
export async function work(stage: Stage, death: Death): Promise<void> {
  const { world, weather } = stage;
  const { tasks, working } = world.service.foundation;
  const options = { pgPool: working.pool, log: silent, concurrency: 1, events: new EventEmitter() };
  const statement = death?.at === "statement" ? death.number : Number.POSITIVE_INFINITY;
  tell(stage, death === null ? "a worker works" : `a worker works, and dies at ${death.at} ${death.number}`);
  await using doomed = openDoomed(world.database.connectionString, statement);
  const shift = { isOn: true, calls: 0 };
  if (death?.at === "call")
    world.docusign.onNext(
      () => shift.isOn && (shift.calls += 1) === death.number,
      () => doomed.kill(),
    );
  stage.isDisturbed = true;
  weather.isBad = true;
  for (let pass = 0; pass < MOST_PASSES && doomed.isAlive() && (await makeDue(stage)) > 0; pass += 1)
    await runDueJobs({ ...tasks, db: doomed.db, log: silent }, options);
  weather.isBad = false;
  shift.isOn = false;
}

/** The hour strikes; its first worker may die, and those after it have everything done that is to be done soon. */
export async function strike(stage: Stage, hour: Date, death: Death): Promise<void> {
  const { clock, service } = stage.world;
  clock.now = hour;
  tell(stage, "the hour strikes");
  await strikeHour(service.foundation.tasks.db, hour);
  await work(stage, death);
  stage.world.docusign.calmDown();
  await calmDown(stage, hour);
}

/** From wait to wait, until nothing is due for some time. */
async function calmDown(stage: Stage, hour: Date): Promise<void> {
  const { world } = stage;
  const end = new Date(hour.getTime() + CALM_MS);
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    await world.runJobs();
    const next = await nextJob(stage);
    if (next === null || next > end) return;
    if (next > world.clock.now) world.clock.now = next;
  }
  throw new Error("jobs queue one another without end");
}

/** The queue goes by the database's clock: what is due by ours is made due there, and what a dead worker had. */
async function makeDue({ world }: Stage): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update graphile_worker._private_jobs set run_at = now(), attempts = 0, last_error = null
    where (run_at <= ${world.clock.now} or last_error is not null) and locked_at is null`.execute(
    world.service.foundation.working.db,
  );
  return Number(numAffectedRows);
}

async function nextJob({ world }: Stage): Promise<Date | null> {
  const { rows } = await sql<{
    next: Date | null;
  }>`select min(run_at) as next from graphile_worker.jobs`.execute(world.service.foundation.working.db);
  return rows[0]?.next ?? null;
}
