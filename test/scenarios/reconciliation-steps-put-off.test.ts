import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccountId, parseUuid } from "../../src/domain/identifiers.ts";
import { withLock } from "../../src/store/locks.ts";
import type { ReconcileStep } from "../../src/usecases/reconciling/reconcile-link.ts";
import type { Failure } from "../support/docusign/faults.ts";
import { createCompanies, createLinkedCompanies, linkIdOf } from "../support/linked-world.ts";
import { callsOf, linesOf, MINUTE_MS } from "../support/reconciling.ts";
import { stepNow, stepOf, stepOn } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const LISTING = "/envelopes";

const NO_ADMIN: Failure = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };

test("a step for an account with paused calls is postponed to the pause's end and makes no calls", async () => {
  await using linked = await createLinkedCompanies();
  const { world, account } = linked;
  const until = new Date(world.clock.now.getTime() + 20 * MINUTE_MS);
  await world.service.foundation.tasks.budgets.pause(parseUuid<AccountId>(account.accountId)!, until);
  let step: ReconcileStep | undefined;

  const calls = await callsOf(world, async () => (step = await stepNow(world)));

  assert.deepEqual(step, { kind: "put-off", until, reason: "account-throttled" });
  assert.deepEqual(calls, []);
  world.clock.now = until;
  assert.equal((await stepOn(world)).kind, "done");
});

test("listing all history leaves the reserve untouched; an hourly listing may use it", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  await world.link(admin);
  world.docusign.setLimits({ hourly: 100 });
  world.docusign.spendCalls(account, 70);
  const until = new Date("2031-01-15T04:00:00Z");
  const reserved = { kind: "put-off", until, reason: "budget-reserve" };

  const steps = [await stepNow(world), await stepNow(world)];
  const calls = await callsOf(world, async () => steps.push(await stepNow(world)));

  assert.deepEqual(steps[2], reserved);
  assert.deepEqual(calls, []);
  assert.deepEqual(linesOf(world, "reconciliation postponed"), [], "nothing has failed");
  world.clock.now = until;
  await world.runJobs();
  world.docusign.spendCalls(account, 80);
  world.clock.pass(MINUTE_MS);
  assert.equal((await stepOn(world)).kind, "done");
});

test("a first import that reaches the reserve within a step resumes after the hour, as it does between steps", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  await world.link(admin);
  world.docusign.setLimits({ hourly: 100 });
  assert.equal((await stepNow(world)).kind, "more");
  world.docusign.onNext(LISTING, () => world.docusign.spendCalls(account, 80));

  const step = await stepNow(world);

  const until = new Date("2031-01-15T04:00:00Z");
  assert.deepEqual(step, { kind: "put-off", until, reason: "budget-reserve" });
  world.clock.now = until;
  assert.equal((await stepOn(world)).kind, "done");
});

test("a step of a link that another process is reconciling is postponed for five seconds", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const linkId = await linkIdOf(world);
  const { db } = world.service.foundation.tasks;

  const step = await withLock(db, `reconcile ${linkId}`, async () => await stepOf(world, linkId));

  const until = new Date(world.clock.now.getTime() + 5_000);
  assert.deepEqual(step, { kind: "put-off", until, reason: "busy" });
});

const PUT_OFF: Readonly<
  Record<string, { fails: (world: World) => unknown; reason: string; waits: number; fault: string }>
> = {
  "that DocuSign cannot answer is postponed for a minute": {
    fails: ({ docusign }) => docusign.failNext(10, { status: 503 }, LISTING),
    reason: "docusign-unavailable",
    waits: MINUTE_MS,
    fault: "http-503",
  },
  "that DocuSign rejects although the user is an admin is postponed for a minute": {
    fails: ({ docusign }) => docusign.failNext(1, NO_ADMIN, LISTING),
    reason: "docusign-unavailable",
    waits: MINUTE_MS,
    fault: "USER_LACKS_PERMISSIONS",
  },
  "for an account at its hourly limit is postponed until the reset": {
    fails: ({ docusign }) =>
      docusign.failNext(
        1,
        {
          status: 429,
          body: { errorCode: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", message: "x" },
          headers: { "x-ratelimit-reset": "1926214200" },
        },
        LISTING,
      ),
    reason: "account-throttled",
    waits: 20 * MINUTE_MS,
    fault: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
  },
};

for (const [what, { fails, reason, waits, fault }] of Object.entries(PUT_OFF)) {
  test(`a step ${what}, which is logged`, async () => {
    await using linked = await createLinkedCompanies();
    const { world } = linked;
    fails(world);

    const step = await stepNow(world);

    assert.deepEqual(step, { kind: "put-off", until: new Date(world.clock.now.getTime() + waits), reason });
    const [line] = linesOf(world, "reconciliation postponed");
    assert.deepEqual([line.linkId, line.fault], [await linkIdOf(world), fault]);
    assert.equal(typeof line.kind, "string");
  });
}
