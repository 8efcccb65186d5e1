import assert from "node:assert/strict";
import { test } from "node:test";
import { findFailure } from "../worlds/search.ts";

/** The long form, `npm run test:long`, runs other seeds until it is stopped. */
const SEEDS = [1, 2, 3, 4];
const WORLDS_EACH = 4;
const SHRINK_MS = 60_000;

for (const seed of SEEDS) {
  test(`after each hour of a random world, the contracts are those that the rules require (seed ${seed})`, async () => {
    assert.equal(await findFailure({ kind: "worlds", seed, worlds: WORLDS_EACH, shrinkMs: SHRINK_MS }), null);
  });
}
