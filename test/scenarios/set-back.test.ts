import assert from "node:assert/strict";
import { test } from "node:test";
import { runDrill } from "../support/drills/set-back.ts";

/** `npm run drills` runs fifty seeds. */
for (const [seed, isReported] of [
  [1, false],
  [2, true],
  [3, false],
] as const) {
  const how = isReported ? "as torikomi restored reports" : "without a report";
  test(`a database set back ${how} loses nothing, duplicates nothing and resurrects nothing (seed ${seed})`, async () => {
    const { problems, lost, deletions } = await runDrill({ seed, isReported });

    assert.deepEqual(problems, []);
    assert.ok(lost > 0, "the database lost no contract");
    assert.ok(deletions > 0, "the database lost no deletion");
  });
}
