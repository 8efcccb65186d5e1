import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nextFullHour, startOfHour } from "../../src/domain/schedule.ts";

const HOUR_MS = 3_600_000;

const hours = [
  { now: "2026-02-10T03:00:00.000Z", start: "2026-02-10T03:00:00.000Z", next: "2026-02-10T04:00:00.000Z" },
  { now: "2026-02-10T03:00:00.001Z", start: "2026-02-10T03:00:00.000Z", next: "2026-02-10T04:00:00.000Z" },
  { now: "2026-02-10T03:59:59.999Z", start: "2026-02-10T03:00:00.000Z", next: "2026-02-10T04:00:00.000Z" },
  { now: "2026-12-31T23:30:00.000Z", start: "2026-12-31T23:00:00.000Z", next: "2027-01-01T00:00:00.000Z" },
  { now: "1969-12-31T23:30:00.000Z", start: "1969-12-31T23:00:00.000Z", next: "1970-01-01T00:00:00.000Z" },
];

for (const { now, start, next } of hours) {
  test(`at ${now} the hour began at ${start}, and the next begins at ${next}`, () => {
    assert.equal(startOfHour(new Date(now)).toISOString(), start);
    assert.equal(nextFullHour(new Date(now)).toISOString(), next);
  });
}

const moments = fc.date({
  min: new Date("0001-01-01"),
  max: new Date("9999-12-31"),
  noInvalidDate: true,
});

test("every time lies between the start of its hour and the next", () => {
  fc.assert(
    fc.property(moments, (now) => {
      const [start, next] = [startOfHour(now), nextFullHour(now)];

      assert.ok(start <= now && now < next);
      assert.equal(next.getTime() - start.getTime(), HOUR_MS);
      assert.deepEqual([start.getUTCMinutes(), start.getUTCSeconds(), start.getUTCMilliseconds()], [0, 0, 0]);
    }),
  );
});
