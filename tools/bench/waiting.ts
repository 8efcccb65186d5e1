import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { enqueueHour } from "../../src/store/queue/queue.ts";
import { LINKS_OF_JOB } from "../../src/usecases/reconciling/reconcile-all.ts";
import type { SeededLink } from "./seed.ts";
import type { Stage } from "./stage.ts";

const HOUR_MS = 60 * 60 * 1000;
const MOST_MS = 10 * 60 * 1000;

/** The hour that a reconciliation now would be of. */
export function lastFullHour(): Date {
  return new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
}

/** Waits until the cabinet has this many contracts. Polls rarely, since polling disturbs the measurement. */
export async function untilContracts(stage: Stage, count: number): Promise<void> {
  await until(async () => (await stage.countContracts()) >= count, 50);
}

/** Queues an hour of these links, all due at once. */
export async function queueHour(
  { database: { db } }: Pick<Stage, "database">,
  links: readonly SeededLink[],
  hour: Date,
): Promise<void> {
  const jobs = Math.ceil(links.length / LINKS_OF_JOB);
  await enqueueHour(
    db,
    Array.from({ length: jobs }, (_, index) => ({
      linkIds: links.slice(index * LINKS_OF_JOB, (index + 1) * LINKS_OF_JOB).map(({ id }) => id),
      hour,
      runAt: null,
    })),
  );
}

/** Until no job of the tasks is left, whether or not it is due. */
export async function untilNoJobs(
  stage: Pick<Stage, "database">,
  ...tasks: readonly string[]
): Promise<void> {
  await until(async () => {
    const { rows } = await sql`
      select from graphile_worker.jobs where task_identifier = any(${tasks}::text[]) limit 1`.execute(
      stage.database.db,
    );
    return rows.length === 0;
  }, 20);
}

/** Until it is so, asked again and again; throws if that takes minutes. */
export async function until(isSo: () => Promise<boolean>, everyMs: number): Promise<void> {
  const end = performance.now() + MOST_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("what is measured does not come to its end");
    await sleep(everyMs);
  }
}
