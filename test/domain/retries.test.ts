import assert from "node:assert/strict";
import { test } from "node:test";
import { DOWNLOAD_AGAIN_MS, MOST_ATTEMPTS, nextAttempt } from "../../src/domain/retries.ts";

const NOW = new Date("2031-01-15T03:00:00Z");
const HOUR_MS = 60 * 60 * 1000;

test("waits double from five seconds up to an hour, and end after about four days in all", () => {
  const waits = Array.from({ length: MOST_ATTEMPTS - 1 }, (_, index) => waitAfter(index + 1));

  assert.deepEqual(waits.slice(0, 4), [5_000, 10_000, 20_000, 40_000]);
  assert.equal(Math.max(...waits), HOUR_MS);
  const days = waits.reduce((sum, wait) => sum + wait, 0) / (24 * HOUR_MS);
  assert.ok(days > 3.5 && days < 4.5, `${days} days`);
  assert.equal(nextAttempt(MOST_ATTEMPTS, NOW), null);
  assert.equal(nextAttempt(MOST_ATTEMPTS + 5, NOW), null);
});

test("a wait is at least the given minimum and at most an hour", () => {
  assert.equal(waitAfter(1, 20 * 60 * 1000), 20 * 60 * 1000);
  assert.equal(waitAfter(20, 20 * 60 * 1000), HOUR_MS);
});

test("a document is requested again after the 15 minutes in which DocuSign flags repeats, and within the hour", () => {
  assert.ok(DOWNLOAD_AGAIN_MS > HOUR_MS / 4 && DOWNLOAD_AGAIN_MS < HOUR_MS);
});

function waitAfter(attempts: number, shortestMs?: number): number {
  return (nextAttempt(attempts, NOW, shortestMs)?.getTime() ?? Number.NaN) - NOW.getTime();
}
