import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CallBudget, expectedDuration, mayCall } from "../../src/domain/pace.ts";

const now = new Date("2026-02-10T03:20:00Z");
const fullHour = new Date("2026-02-10T04:00:00Z");
const HOUR_MS = 3_600_000;

function budget(remaining: number | null, more: Partial<CallBudget> = {}): CallBudget {
  return { remaining, limit: 3000, resetsAt: fullHour, ...more };
}

const go = { kind: "go" };
const wait = { kind: "wait", until: fullHour };

const cases = [
  { when: "nothing was reported yet", given: budget(null, { limit: null, resetsAt: null }), is: go },
  { when: "one call more than the reserve is left", given: budget(751), is: go },
  { when: "exactly the reserve is left", given: budget(750), is: wait },
  { when: "nothing is left", given: budget(0), is: wait },
  { when: "calls are left but the limit is unknown", given: budget(1, { limit: null }), is: go },
  { when: "nothing is left and the limit is unknown", given: budget(0, { limit: null }), is: wait },
  { when: "nothing is left of a limit of 0, which means no limit", given: budget(0, { limit: 0 }), is: go },
  { when: "only the number of remaining calls is unknown", given: budget(null), is: go },
  { when: "the reserve is not a whole number", given: budget(1, { limit: 3 }), is: wait },
  { when: "the hour of the report is over", given: budget(0, { resetsAt: now }), is: go },
  {
    when: "the hour of the report ends in a millisecond",
    given: budget(0, { resetsAt: new Date(now.getTime() + 1) }),
    is: { kind: "wait", until: new Date(now.getTime() + 1) },
  },
  { when: "the reset is unknown, until the full hour", given: budget(0, { resetsAt: null }), is: wait },
];

for (const { when, given, is } of cases) {
  test(`the pace of a first import is "${is.kind}" if ${when}`, () => {
    assert.deepEqual(mayCall(given, 0.25, now), is);
  });
}

test("without a reserve every call may be used, with a full reserve none", () => {
  assert.deepEqual(mayCall(budget(1), 0, now), go);
  assert.deepEqual(mayCall(budget(0), 0, now), wait);
  assert.deepEqual(mayCall(budget(3000), 1, now), wait);
});

test("the reserve is computed in whole calls, without floating-point errors", () => {
  assert.deepEqual(mayCall(budget(8, { limit: 100 }), 0.07, now), go);
});

test("an import that calls only while allowed leaves the reserve untouched", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 100 }), (limit, percent) => {
      let remaining = limit;
      while (mayCall(budget(remaining, { limit }), percent / 100, now).kind === "go") remaining -= 1;

      assert.equal(remaining, Math.ceil((limit * percent) / 100));
    }),
  );
});

const size = {
  envelopes: 100,
  callsPerEnvelope: 2,
  hourlyLimit: 3000,
  reserveShare: 0.25,
  callsPerSecond: 10,
};

const durations = [
  { when: "there is nothing to import", given: { envelopes: 0 }, ms: 0 },
  { when: "the hour's calls suffice", given: {}, ms: 20_000 },
  { when: "the hour's calls just suffice", given: { envelopes: 1125 }, ms: 225_000 },
  { when: "one more hour is needed", given: { envelopes: 1126 }, ms: HOUR_MS + 200 },
  { when: "there are 10,000 envelopes", given: { envelopes: 10_000 }, ms: 8 * HOUR_MS + 200_000 },
  {
    when: "the number of calls per envelope is fractional",
    given: { envelopes: 3, callsPerEnvelope: 1.5 },
    ms: 500,
  },
  { when: "the limit is unknown", given: { envelopes: 100_000, hourlyLimit: null }, ms: 20_000_000 },
  {
    when: "the speed is below the limit",
    given: { envelopes: 3600, callsPerSecond: 0.5 },
    ms: 4 * HOUR_MS,
  },
  { when: "everything is reserved", given: { envelopes: 1, reserveShare: 1 }, ms: HOUR_MS + 100 },
];

for (const { when, given, ms } of durations) {
  test(`an import takes ${ms} ms if ${when}`, () => {
    assert.equal(expectedDuration({ ...size, ...given }), ms);
  });
}

test("more envelopes never take less time, and every duration is finite", () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(1000), fc.nat(5000), (envelopes, more, hourlyLimit) => {
      const one = expectedDuration({ ...size, envelopes, hourlyLimit });
      const other = expectedDuration({ ...size, envelopes: envelopes + more, hourlyLimit });

      assert.ok(one <= other);
      assert.ok(Number.isFinite(other));
    }),
  );
});
