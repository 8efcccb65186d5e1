import { test } from "node:test";
import { ownWorkers, playChaos } from "../support/chaos/chaos.ts";
import { killedProcesses } from "../support/chaos/killed-process.ts";

/** The long form, `npm run test:long`, plays fifty. */
const SEEDS = [1, 2];
/** Whose workers are processes that are killed. */
const WITH_PROCESSES = 2;

for (const seed of SEEDS) {
  test(`with events lost, repeated and shuffled and workers killed, 500 envelopes end as the rules name (seed ${seed})`, async () => {
    await playChaos(seed, seed === WITH_PROCESSES ? killedProcesses : ownWorkers);
  });
}
