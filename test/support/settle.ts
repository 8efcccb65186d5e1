import { sql } from "kysely";
import { nextFullHour } from "../../src/domain/schedule.ts";
import { beginHour } from "../../src/usecases/deletions/begin-hour.ts";
import type { World } from "./world.ts";

const MOST_PASSES = 40;

/** A worker does what is due, and the clock goes on to what is due next, until nothing waits; what failed is tried again. */
export async function settle(world: World): Promise<void> {
  const { db } = world.service.foundation.working;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    await sql`update graphile_worker._private_jobs set run_at = now(), attempts = 0, last_error = null
      where last_error is not null or run_at <= ${world.clock.now}`.execute(db);
    await world.service.runDueJobs();
    const { rows } = await sql<{ next: Date | null }>`
      select min(run_at) as next from graphile_worker.jobs`.execute(db);
    const next = rows[0]?.next ?? null;
    if (next === null) return;
    if (next > world.clock.now) world.clock.now = next;
  }
  throw new Error("jobs wait without end");
}

/** Like `settle`, with the next hour's reconciliation after it. */
export async function settleUntilNextHour(world: World): Promise<void> {
  await settle(world);
  world.clock.now = nextFullHour(world.clock.now);
  await beginHour(world.service.foundation.tasks, world.clock.now);
  await settle(world);
}
