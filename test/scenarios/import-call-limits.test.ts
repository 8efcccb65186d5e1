import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccountId, parseUuid } from "../../src/domain/identifiers.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import type { Failure } from "../support/docusign/faults.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  importRequestOf,
  subjects,
} from "../support/linked-world.ts";
import { MINUTE_MS } from "../support/reconciling.ts";

const ENVELOPE = "/envelopes/{envelopeId}";

for (const status of [429, 400] as const) {
  test(`an account that reports its hourly limit with ${status} is not called before the reset, to the second`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, colleague } = companies;
    world.docusign.setLimits({ status });
    const until = new Date("2031-01-15T04:47:13Z");
    world.docusign.throttle(account, until);
    for (const subject of ["一", "二", "三"]) {
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
    }
    const unheard = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "四" });

    await world.runJobs();
    const asked = world.docusign.calls.length;
    const refused = world.docusign.calls.filter((call) => call.status === status);
    await world.runHour();
    world.clock.now = new Date(until.getTime() - 1_000);
    await world.runJobs();
    assert.equal(world.docusign.calls.length, asked, "no call before the reset");
    assert.equal(refused.length, 1);
    assert.deepEqual(await world.contracts(), []);
    world.clock.now = until;
    await world.runJobs();

    assert.deepEqual(await subjects(world), ["一", "三", "二", "四"]);
    assert.equal((await explain(world, unheard)).attempts, 1);
  });
}

test("an import does not call DocuSign if calls are paused or its link is stopped or ended, and reports the reason", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  const { tasks } = world.service.foundation;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const request = await importRequestOf(world, envelope);
  const until = new Date(world.clock.now.getTime() + 20 * MINUTE_MS);
  await tasks.budgets.pause(parseUuid<AccountId>(account.accountId)!, until);

  assert.deepEqual(await importEnvelope(tasks, request), {
    kind: "waiting",
    reason: "account-throttled",
    until,
  });
  world.clock.now = until;
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const now = world.clock.now;
  assert.deepEqual(await importEnvelope(tasks, request), { kind: "waiting", reason: "queued", until: now });
  assert.equal((await endLink(world)).status, 204);
  assert.deepEqual(await importEnvelope(tasks, request), { kind: "link-ended" });
  assert.deepEqual(world.docusign.callsTo(ENVELOPE), []);
});

test("waiting for the hourly limit is not an attempt, and its end is shown", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const until = new Date("2031-01-15T03:47:13Z");
  world.docusign.throttle(account, until);

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  const told = await explain(world, envelope);
  assert.equal(`${told.outcome} ${told.reason}`, "waiting account-throttled");
  assert.equal(told.waitingFor.until, until.toISOString());
  assert.equal(told.attempts, 0);
});

test("the burst limit causes a wait of half a minute", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const burst: Failure = {
    status: 429,
    body: { errorCode: "BURST_APIINVOCATION_LIMIT_EXCEEDED", message: "x" },
  };
  world.docusign.failNext(1, burst, ENVELOPE);

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const asked = world.docusign.calls.length;
  world.clock.pass(29_000);
  await world.runJobs();
  assert.equal(world.docusign.calls.length, asked);
  assert.equal(await fateOf(world, envelope), "waiting account-throttled");
  world.clock.pass(1_000);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("the shorter wait of a burst limit does not end the longer wait of the hourly limit", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const { budgets } = world.service.foundation.tasks;
  const until = new Date("2031-01-15T03:47:13Z");
  const accountId = parseUuid<Parameters<typeof budgets.pause>[0]>(account.accountId)!;

  await budgets.pause(accountId, until);
  await budgets.pause(accountId, new Date("2031-01-15T03:10:30Z"));
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  const asked = world.docusign.calls.length;
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal(world.docusign.calls.length, asked);
});
