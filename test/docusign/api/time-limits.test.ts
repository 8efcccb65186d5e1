import assert from "node:assert/strict";
import { test } from "node:test";
import { startTimeLimits } from "../../../src/docusign/api/time-limits.ts";
import { DocuSignFault } from "../../../src/docusign/faults/faults.ts";

const SILENCE = new Promise<never>(() => {});

function isTimeout(signal: AbortSignal): boolean {
  return signal.reason instanceof DocuSignFault && signal.reason.code === "timeout";
}

test("silence ends with a timeout", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const limits = startTimeLimits(1_000, 60_000);

  void limits.wait(SILENCE);
  t.mock.timers.tick(999);
  const before = limits.signal.aborted;
  t.mock.timers.tick(1);

  assert.deepEqual([before, isTimeout(limits.signal)], [false, true]);
});

test("the reader's own work between two waits does not count as silence", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const limits = startTimeLimits(1_000, 60_000);

  await limits.wait(Promise.resolve());
  t.mock.timers.tick(59_000);

  assert.equal(limits.signal.aborted, false);
});

test("the total time limit applies even without silence", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const limits = startTimeLimits(1_000, 60_000);

  await limits.wait(Promise.resolve());
  t.mock.timers.tick(60_000);

  assert.equal(isTimeout(limits.signal), true);
});

test("the caller's abort reason is passed on", () => {
  const caller = new AbortController();
  const limits = startTimeLimits(1_000, 60_000, caller.signal);
  const reason = new Error("shutting down");

  caller.abort(reason);
  limits.end();

  assert.equal(limits.signal.reason, reason);
});
