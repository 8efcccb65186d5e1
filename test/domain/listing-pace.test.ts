import assert from "node:assert/strict";
import { test } from "node:test";
import { FULL_PACE, faster, type ListingPace, sizeOf, slower } from "../../src/domain/listing-pace.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const YEARS_MS = 1_024 * 10 * DAY_MS;

function times(count: number, change: (pace: ListingPace) => ListingPace, pace = FULL_PACE): ListingPace {
  return count === 0 ? pace : times(count - 1, change, change(pace));
}

test("listings that fail ask for half the rows each time, then for bare rows, then for half the window", () => {
  const sizes = Array.from({ length: 18 }, (_, failures) => {
    const { count, include, spanMs } = sizeOf(times(failures, slower), YEARS_MS);
    return `${count}${include ? "" : " bare"}${spanMs === null ? "" : ` ${spanMs / DAY_MS} days`}`;
  });

  assert.deepEqual(sizes.slice(0, 9), [
    "1000",
    "500",
    "250",
    "125",
    "62",
    "31",
    "31 bare",
    "31 bare 5120 days",
    "31 bare 2560 days",
  ]);
  assert.deepEqual(sizes.slice(16), ["31 bare 10 days", "31 bare 10 days"]);
});

test("no listing covers less than an hour because of failures", () => {
  assert.equal(sizeOf(times(100, slower), DAY_MS).spanMs, 60 * 60 * 1000);
});

test("after an outage, one page for each step leads back to the maximum", () => {
  const outage = times(60, slower);

  assert.equal(times(15, faster, outage).step, 1);
  assert.equal(times(16, faster, outage).step, 0);
  assert.equal(times(17, faster, outage), FULL_PACE);
});

test("a size that DocuSign never finishes is tried ever more rarely", () => {
  let pace = FULL_PACE;
  const failures: number[] = [];
  for (let page = 0; page < 1_000; page += 1) {
    const fails = sizeOf(pace, YEARS_MS).count > 250;
    if (fails) failures.push(page);
    pace = fails ? slower(pace) : faster(pace);
  }

  assert.ok(failures.length < 45, String(failures.length));
  assert.equal((failures.at(-1) ?? 0) - (failures.at(-2) ?? 0), 33);
});

test("the maximum that works once and then fails is not tried again at once", () => {
  const flaky = faster(slower(FULL_PACE));

  assert.equal(flaky.step, 0);
  assert.deepEqual(slower(flaky), { step: 1, successes: 0, needed: 2, grown: false });
});
