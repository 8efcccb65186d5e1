import { type Foundation, openFoundation } from "../../src/foundation.ts";
import { runDueJobs } from "../../src/jobs/worker.ts";
import { shuffled } from "../support/docusign/shuffled.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import type { Random } from "../support/random.ts";
import type { World } from "../support/world.ts";

const MOST_TURNS = 6;

/** A second process of the world's service. Its statements are delayed by random numbers of event loop turns. */
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

/** Its workers run due jobs, several at once, until none is left. */
export async function workAt({ tasks, working, log }: Foundation): Promise<void> {
  await runDueJobs(tasks, { pgPool: working.pool, log, concurrency: 3 });
}

/** Starts all of them at once in random order. Returns their results in the given order. */
export async function atOnce<Result>(
  random: Random,
  acts: readonly (() => Promise<Result>)[],
): Promise<Result[]> {
  const begun = new Map<() => Promise<Result>, Promise<Result>>();
  for (const act of shuffled(acts, random.next)) begun.set(act, act());
  await Promise.allSettled(begun.values());
  return await Promise.all(acts.map(async (act) => await (begun.get(act) ?? act())));
}
