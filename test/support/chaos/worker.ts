import { sql } from "kysely";
import { pino } from "pino";
import type { Foundation } from "../../../src/foundation.ts";
import { runDueJobs } from "../../../src/jobs/worker.ts";
import type { Database } from "../../../src/store/database.ts";
import { openDoomed } from "../doomed.ts";
import type { World } from "../world.ts";

const silent = pino({ level: "silent" });
const MOST_PASSES = 100;

/**
 * A worker with several jobs at once does what is due by the world's clock, until nothing is or until it is killed: at
 * its statement of that number. What it had in hand is then everybody's again.
 */
export async function work(world: World, { killedAt }: { killedAt: number }): Promise<void> {
  const { tasks, working } = world.service.foundation;
  await using doomed = openDoomed(world.database.connectionString, killedAt);
  const isAlive = (): boolean => doomed.statements() < killedAt;
  await workDue({ tasks: { ...tasks, db: doomed.db }, working }, world.clock, isAlive);
}

/** Does what is due by the clock, and what follows from that, as long as it is alive. */
export async function workDue(
  { tasks, working }: Pick<Foundation, "tasks" | "working">,
  clock: { readonly now: Date },
  isAlive: () => boolean,
): Promise<void> {
  for (let pass = 0; pass < MOST_PASSES && isAlive(); pass += 1) {
    if ((await makeDue(working.db, clock.now)) === 0) return;
    await runDueJobs({ ...tasks, log: silent }, { pgPool: working.pool, log: silent, concurrency: 3 });
  }
  if (isAlive()) throw new Error("jobs queue one another without end");
}

/** The queue goes by the database's clock: what is due by ours is made due there, and what a killed worker had. */
async function makeDue(db: Database, now: Date): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update graphile_worker._private_jobs set run_at = now(), attempts = 0, last_error = null
    where (run_at <= ${now} or last_error is not null) and locked_at is null`.execute(db);
  return Number(numAffectedRows);
}
