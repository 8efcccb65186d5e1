import { runOnce } from "graphile-worker";
import type { Foundation } from "../../src/foundation.ts";
import { createLinkShare } from "../../src/jobs/link-share.ts";
import { createTasks } from "../../src/jobs/tasks.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";
import type { World } from "../support/world.ts";

/**
 * A worker runs the due jobs of these tasks and the jobs they queue. The world's own connection claims and completes the
 * jobs; test/jobs covers jobs of dead workers.
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
