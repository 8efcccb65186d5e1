import assert from "node:assert/strict";
import { test } from "node:test";
import { findFailure } from "../worlds/search.ts";

/** The long form, `npm run test:long`, runs fifty seeds. The workers of the second seed are processes that are killed. */
const SEEDS = [1, 2];
const SHRINK_MS = 60_000;

for (const seed of SEEDS) {
  test(`with events lost, repeated and reordered and workers killed, 500 envelopes end as the rules require (seed ${seed})`, async () => {
    assert.equal(await findFailure({ kind: "chaos", seed, worlds: 1, shrinkMs: SHRINK_MS }), null);
  });
}
