import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { runCommand } from "../cli/commands.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf, entriesOf, HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

test("imports of a throttled account are postponed until its reset, without calls, attempts or job slots", async () => {
  await using linked = await createLinkedCompanies();
  const { world, account, colleague } = linked;
  const { docusign } = world;
  const reset = new Date(world.clock.now.getTime() + 20 * MINUTE_MS);
  docusign.throttle(account, reset);
  const envelopes = [];
  for (let number = 0; number < 5; number += 1)
    envelopes.push(await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] }));

  const refused = await callsOf(world, async () => await world.runJobs());
  world.clock.pass(19 * MINUTE_MS);
  const before = await callsOf(world, async () => await world.runJobs());

  // The first import learns of it for all.
  assert.equal(refused.length, 1);
  assert.deepEqual(before, []);
  for (const envelope of envelopes) {
    const { reason, attempts, waitingFor } = await explain(world, envelope);
    assert.deepEqual([reason, attempts, waitingFor.until], ["account-throttled", 0, reset.toISOString()]);
  }
  const { rows } =
    await sql`select 1 from graphile_worker.jobs where attempts > 0 or locked_at is not null`.execute(
      world.service.foundation.working.db,
    );
  assert.deepEqual(rows, []);

  world.clock.now = reset;
  await world.runJobs();
  assert.equal((await subjects(world)).length, 5);
});

test("after a response reports no remaining calls, none is made before the reset, so none is rejected", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const { docusign } = world;
  world.clock.now = new Date("2031-01-15T04:05:00Z");
  docusign.setLimits({ hourly: 2 });
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "one" });
  const second = await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "two" });

  const calls = await callsOf(world, async () => await world.runJobs());
  const command = await callsOf(world, async () => {
    assert.equal((await runCommand(world, "reconcile")).exit, 75);
  });

  assert.deepEqual(calls, [`GET /envelopes/{envelopeId}`, `GET ${DOWNLOAD}`]);
  assert.deepEqual(command, []);
  assert.deepEqual(await subjects(world), ["one"]);
  const { reason, attempts, waitingFor } = await explain(world, second);
  assert.deepEqual(
    [reason, attempts, waitingFor.until],
    ["account-throttled", 0, "2031-01-15T05:00:00.000Z"],
  );
  world.clock.now = new Date("2031-01-15T05:00:00Z");
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["one", "two"]);
});

/** DocuSign has reported that no call of this hour is left, but would accept more. */
async function spendHour({ world, colleague }: Companies): Promise<void> {
  world.clock.now = new Date("2031-01-15T04:05:00Z");
  world.docusign.setLimits({ hourly: 2 });
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  world.docusign.setLimits({});
}

test("a person does not wait for the reset: ending a link calls DocuSign at once", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  await spendHour(linked);

  assert.equal((await endLink(world)).status, 204);
});

test("linking again does not wait for the reset: Connect is set up at once if DocuSign accepts the call", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, account } = linked;
  await spendHour(linked);
  assert.equal((await endLink(world)).status, 204);

  assert.equal(await world.link(admin), "linked");

  assert.deepEqual((await linkOf(world)).connect, { sent: "active", received: "active" });
  assert.equal(world.docusign.configurations(account).length, 2);
});

test("an account whose limit is reported as 0 is called all the same", async () => {
  await using linked = await createLinkedCompanies({ docusign: { limits: { hourly: 0, isKept: false } } });
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "one" });
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "two" });

  await world.runJobs();

  assert.deepEqual(await subjects(world), ["one", "two"]);
});

test("while one account is throttled, another account's imports and hourly runs continue", async () => {
  await using linked = await createLinkedCompanies();
  const { world, account, colleague } = linked;
  const { docusign } = world;
  const other = docusign.addUser(docusign.addAccount({ name: "株式会社乙" }), {
    name: "高橋",
    role: "DS Admin",
  });
  await world.link(other, { tenant: "tenant-2" });
  await world.runJobs();
  docusign.throttle(account, new Date(world.clock.now.getTime() + 3 * HOUR_MS));
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await docusign.concludeEnvelope({ from: other, to: [CUSTOMER], subject: "heard" });
  await concludeUnheard(world, { from: other, to: [CUSTOMER], subject: "found" });

  await world.runHour();

  assert.deepEqual(await subjects(world, "tenant-2"), ["found", "heard"]);
  assert.deepEqual(await subjects(world), []);
});

test("a reconciliation throttled half-way resumes at the reset from the same page", async () => {
  await using linked = await createLinkedCompanies();
  const { world, account, colleague } = linked;
  const { docusign } = world;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const reset = new Date("2031-01-15T04:25:00Z");
  docusign.onNext("/envelopes", () => {
    docusign.onNext("/envelopes", () => docusign.throttle(account, reset));
  });

  await world.runHour();
  assert.equal(await fateOf(world, envelope), "waiting account-throttled");
  world.clock.now = reset;
  const calls = await callsOf(world, async () => await world.runJobs());

  assert.equal(await fateOf(world, envelope), "imported sent");
  // The sent side is listed already; the received side is still to come.
  assert.equal(calls.filter((call) => call === "GET /envelopes").length, 1);
  const [entry] = await entriesOf(world);
  assert.deepEqual([entry.state, entry.to, entry.missed], ["done", "2031-01-15T04:00:00.000Z", 1]);
});

test("a listing with a limit of its own is postponed, and imports continue meanwhile", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const limited = { status: 400, body: { errorCode: "API_REQUEST_IS_THROTTLED", message: "x" } };
  const missed = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, limited, "/envelopes");

  await world.runHour();
  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal(await fateOf(world, heard), "imported sent");
  assert.equal((await explain(world, missed)).reason, "hourly-timing");
  world.clock.pass(15 * MINUTE_MS);
  await world.runJobs();
  assert.equal(await fateOf(world, missed), "imported sent");
});
