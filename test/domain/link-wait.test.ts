import assert from "node:assert/strict";
import { test } from "node:test";
import { type LinkStanding, whyCallsWait, whyLinkWaits } from "../../src/domain/link-wait.ts";
import type { Pace } from "../../src/domain/pace.ts";

const STANDINGS: readonly (readonly [LinkStanding | null, string | null])[] = [
  [{ state: "active", cause: null }, null],
  [{ state: "paused", cause: null }, "paused"],
  [{ state: "awaiting-approval", cause: null }, "awaiting-approval"],
  [{ state: "error", cause: "authorization-revoked" }, "link-error"],
  [{ state: "error", cause: "not-admin" }, "link-error"],
  [{ state: "error", cause: "group-missing" }, "group-missing"],
  [{ state: "ended", cause: "group-missing" }, "link-ended"],
  [null, "link-ended"],
];

for (const [link, reason] of STANDINGS) {
  const standing = link === null ? "that does not exist" : `in state ${link.state}, cause ${link.cause}`;
  test(`a link ${standing} waits for ${reason ?? "nothing"}`, () => {
    assert.equal(whyLinkWaits(link), reason);
  });
}

test("calls wait for the account first, then those that leave a reserve for it", () => {
  const spent: Pace = { kind: "wait", until: new Date("2031-01-15T04:00:00Z") };
  const reserved: Pace = { kind: "wait", until: new Date("2031-01-15T05:00:00Z") };
  const go: Pace = { kind: "go" };

  assert.deepEqual(whyCallsWait({ any: spent, reserving: reserved }), {
    reason: "account-throttled",
    until: spent.until,
  });
  assert.deepEqual(whyCallsWait({ any: go, reserving: reserved }), {
    reason: "budget-reserve",
    until: reserved.until,
  });
  assert.equal(whyCallsWait({ any: go, reserving: go }), null);
  assert.equal(whyCallsWait({ any: go, reserving: null }), null);
});
