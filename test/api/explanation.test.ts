import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorld } from "../support/world.ts";
import { accountOf, link } from "./linked-envelope.ts";

const OTSU = [{ name: "乙", email: "otsu@example.com" }];

const PDF = [{ name: "契約書.pdf" }];

test("an envelope imported from an event is explained with rule, facts, event, attempt and contract", async () => {
  await using world = await createWorld();
  const { explain, conclude, admin } = await link(world);
  const { envelopeId } = await conclude();
  await world.runJobs();

  const { status, headers, body } = await explain(envelopeId);

  assert.equal(status, 200);
  assert.equal(headers.get("content-language"), "ja");
  assert.match(headers.get("vary") ?? "", /Accept-Language/i);
  assert.deepEqual([body.envelopeId, body.outcome, body.reason], [envelopeId, "imported", "sent"]);
  assert.match(body.text, /連携アカウントのユーザーが送信/);
  assert.equal(body.facts.senderAccountId, admin.defaultAccountId);
  assert.equal(body.facts.completedAt, "2031-01-15T03:10:00.000Z");
  assert.deepEqual(
    body.events.map(({ event, format, receivedAt }: Record<string, unknown>) => [event, format, receivedAt]),
    [["envelope-completed", "json-sim", "2031-01-15T03:10:00.000Z"]],
  );
  assert.equal(body.contracts.length, 1);
  assert.equal(body.contracts[0].deletedAt, null);
  assert.equal(body.attempts, 1);
  assert.equal(body.waitingFor, null);
});

test("the explanation is in English for readers who prefer it, in Japanese for all others", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  const { envelopeId } = await conclude();
  await world.runJobs();

  const english = await explain(envelopeId, "en-GB, en;q=0.9, ja;q=0.5");

  assert.equal(english.headers.get("content-language"), "en");
  assert.match(english.body.text, /^Imported: a user of the linked account sent it/);
  for (const language of ["ja", "fr", "*", "ja, en;q=0.5", ""]) {
    assert.match((await explain(envelopeId, language)).body.text, /取り込みました/, language);
  }
});

test("a deleted contract stays in the explanation with its deletion time", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  const { envelopeId } = await conclude();
  await world.runJobs();
  const api = await world.api();
  const [contract] = (await api.get("/v1/contracts")).body.items;
  world.clock.pass(1_000);

  await api.send("DELETE", `/v1/contracts/${contract.id}`);

  const { body } = await explain(envelopeId);
  assert.deepEqual([body.outcome, body.reason], ["deleted", "deleted-in-cabinet"]);
  const { sender, recipients } = contract.source;
  const withoutAddresses = {
    ...contract.source,
    sender: { ...sender, email: null },
    recipients: recipients.map((recipient: object) => ({ ...recipient, email: null })),
  };
  const deletedAt = world.clock.now.toISOString();
  assert.deepEqual(body.contracts, [{ ...contract, source: withoutAddresses, deletedAt }]);
});

test("an excluded envelope is explained by its exclusion rule, without any e-mail address", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  const elsewhere = world.docusign.addUser(world.docusign.addAccount(), { name: "丙", role: "DS Admin" });
  const other = world.docusign.addUser(world.docusign.addAccount(), { name: "丁", role: "DS Admin" });
  const envelope = await world.docusign.sendEnvelope({ from: elsewhere, to: [other], documents: PDF });
  await world.docusign.reassign(envelope, other, admin);
  await world.docusign.completeEnvelope(envelope);
  await world.runJobs();
  await world.runHour();

  const { status, body } = await explain(envelope.envelopeId);

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.reason], ["excluded", "forwarded-to-user"]);
  assert.doesNotMatch(JSON.stringify(body), /@/);
});

test("an announced envelope whose import has not run yet is queued", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  const { envelopeId } = await conclude();
  const calls = world.docusign.calls.length;

  const { body } = await explain(envelopeId);

  assert.deepEqual([body.outcome, body.reason], ["waiting", "queued"]);
  assert.deepEqual(body.waitingFor, { reason: "queued", until: null });
  assert.equal(body.text, "取り込みの順番を待っています。しばらくお待ちください。");
  assert.equal(body.events.length, 1);
  assert.equal(body.linkId, null);
  assert.equal(world.docusign.calls.length, calls);
});

test("with hourly imports, an announced envelope waits for the hour given in its explanation", async () => {
  await using world = await createWorld({ config: { importTiming: "hourly" } });
  const { explain, conclude } = await link(world);
  const { envelopeId } = await conclude();

  const { body } = await explain(envelopeId);

  assert.equal(body.reason, "hourly-timing");
  assert.deepEqual(body.waitingFor, { reason: "hourly-timing", until: "2031-01-15T04:00:00.000Z" });
  world.clock.now = new Date("2031-01-15T04:00:00Z");
  assert.deepEqual((await explain(envelopeId)).body.waitingFor, { reason: "queued", until: null });
  assert.match(body.text, /13:00/);
  const { body: shown } = await (await world.api()).get("/v1/link");
  assert.deepEqual(shown.totals, { atDocuSign: 1, imported: 0, excluded: 0, deleted: 0, waiting: 1 });
});

test("a failed import is explained with its attempts, the last outcome and the next retry", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  const { envelopeId } = await conclude();
  world.docusign.serveNextDownloadAs("no PDF");
  await world.runJobs();

  const { body } = await explain(envelopeId);

  assert.deepEqual([body.outcome, body.reason, body.attempts], ["waiting", "document-not-pdf", 1]);
  assert.equal(body.lastError, "not-a-pdf");
  assert.equal(body.waitingFor.reason, "document-not-pdf");
  assert.ok(Date.parse(body.waitingFor.until) > world.clock.now.getTime());
});

test("a cause that stops the whole link takes precedence over the envelope's own", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  const api = await world.api();
  const { envelopeId } = await conclude();
  await api.send("DELETE", "/v1/groups/group-1");
  await world.runJobs();

  const { body } = await explain(envelopeId);

  assert.deepEqual([body.outcome, body.reason], ["waiting", "group-missing"]);
  assert.match(body.text, /取り込み先契約書グループ/);
});

test("paused calls of the account take precedence over the envelope's own cause", async () => {
  await using world = await createWorld();
  const { explain, conclude, admin } = await link(world);
  const { envelopeId } = await conclude();
  world.docusign.failNext(1, { status: 503 }, "/envelopes/{envelopeId}/documents/{documentId}");
  await world.runJobs();
  const before = (await explain(envelopeId)).body.waitingFor;
  const until = new Date("2031-01-15T03:25:00Z");
  await world.service.foundation.tasks.budgets.pause(accountOf(admin), until);

  const { body } = await explain(envelopeId);

  assert.equal(before.reason, "docusign-unavailable");
  assert.deepEqual(body.waitingFor, { reason: "account-throttled", until: until.toISOString() });
});

test("a throttled account is explained with the time at which it resumes", async () => {
  await using world = await createWorld();
  const { explain, conclude, admin } = await link(world);
  const { envelopeId } = await conclude();
  const until = new Date("2031-01-15T03:25:00Z");
  await world.service.foundation.tasks.budgets.pause(accountOf(admin), until);
  await world.runJobs();

  const { body } = await explain(envelopeId);

  assert.deepEqual(body.waitingFor, { reason: "account-throttled", until: until.toISOString() });
});

test("an envelope that awaits the approval of a large first import is explained as such", async () => {
  await using world = await createWorld({ config: { largeImport: 1 } });
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "山田", role: "DS Admin" });
  const { envelopeId } = await world.docusign.concludeEnvelope({ from: admin, to: OTSU, documents: PDF });
  await world.link(admin);

  const { body } = await (await world.api()).get(`/v1/envelopes/${envelopeId}`);

  assert.deepEqual([body.outcome, body.reason], ["waiting", "awaiting-approval"]);
  assert.equal(body.linkId, null);
});

test("after a new link has listed an imported envelope, its explanation shows the earlier import", async () => {
  await using world = await createWorld();
  const { explain, conclude, admin } = await link(world);
  const { envelopeId } = await conclude();
  await world.runJobs();
  world.clock.pass(60_000);
  await (await world.api()).send("DELETE", "/v1/link");
  world.clock.pass(60_000);
  await world.link(admin);
  await world.runJobs();

  const { body } = await explain(envelopeId);
  assert.deepEqual([body.outcome, body.reason], ["imported", "already"]);
  assert.match(body.text, /以前の連携/);
  assert.equal(body.contracts.length, 1);
});

test("after a new link has listed an envelope, its explanation still shows an earlier deletion", async () => {
  await using world = await createWorld();
  const { explain, conclude, admin } = await link(world);
  const { envelopeId } = await conclude();
  await world.runJobs();
  const api = await world.api();
  const [contract] = await world.contracts();
  world.clock.pass(60_000);
  await api.send("DELETE", `/v1/contracts/${contract.id}`);
  await api.send("DELETE", "/v1/link");
  world.clock.pass(60_000);
  await world.link(admin);
  await world.runJobs();

  const { body } = await explain(envelopeId);

  assert.deepEqual([body.outcome, body.reason], ["deleted", "deleted-in-cabinet"]);
});
