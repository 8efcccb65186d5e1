import { runOnce } from "graphile-worker";
import type { Foundation } from "../../src/foundation.ts";
import { createLinkShare } from "../../src/jobs/link-share.ts";
import { createTasks } from "../../src/jobs/tasks.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";
import type { World } from "../support/world.ts";

/**
 * A worker does the due jobs of these tasks, and what they queue. That it has a job, and that the job is done, is
 * written by the world's own connection: what a death leaves of that is tried in test/jobs.
 */
export async function workOn(world: World, { tasks }: Foundation, names: readonly string[]): Promise<void> {
  const all = Object.entries(createTasks(tasks, createLinkShare(1)));
  await runOnce({
    pgPool: world.service.foundation.working.pool,
    noHandleSignals: true,
    logger: silentWorkerLog,
    taskList: Object.fromEntries(all.filter(([name]) => names.includes(name))),
  });
}
