import { type Foundation, openFoundation } from "../../src/foundation.ts";
import { runDueJobs } from "../../src/jobs/worker.ts";
import { shuffled } from "../support/docusign/shuffled.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import type { Random } from "../support/random.ts";
import type { World } from "../support/world.ts";

const MOST_TURNS = 6;

/** Another process of the world's service; chance decides how long its statements tarry, in turns of the event loop. */
export async function startProcess(world: World, random: Random): Promise<Foundation> {
  const { log, now } = world.service.foundation;
  const foundation = await openFoundation(world.config, { log, now });
  interceptPool(foundation.working.pool, async (_statement, act) => {
    for (let turns = random.below(MOST_TURNS); turns > 0; turns -= 1) {
      await new Promise((resolve) => void setImmediate(resolve));
    }
    return await act();
  });
  return foundation;
}

/** Its workers do what is due, several jobs at once, until nothing is. */
export async function workAt({ tasks, working, log }: Foundation): Promise<void> {
  await runDueJobs(tasks, { pgPool: working.pool, log, concurrency: 3 });
}

/** Begins all of them at once, in an order that chance decides; gives what they came to in the order given. */
export async function atOnce<Result>(
  random: Random,
  acts: readonly (() => Promise<Result>)[],
): Promise<Result[]> {
  const begun = new Map<() => Promise<Result>, Promise<Result>>();
  for (const act of shuffled(acts, random.next)) begun.set(act, act());
  await Promise.allSettled(begun.values());
  return await Promise.all(acts.map(async (act) => await (begun.get(act) ?? act())));
}
