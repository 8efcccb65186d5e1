import { test } from "node:test";
import { playChaos } from "../support/chaos/chaos.ts";

/** The long form, `npm run test:long`, plays fifty. */
const SEEDS = [1, 2, 3, 4, 5];

for (const seed of SEEDS) {
  test(`with events lost, repeated and shuffled and workers killed, 500 envelopes end as the rules name (seed ${seed})`, async () => {
    await playChaos(seed);
  });
}
