import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { minimalEvent, post } from "../support/connect.ts";
import { createWorld } from "../support/world.ts";
import { accountOf, link } from "./linked-envelope.ts";

const OTSU = [{ name: "乙", email: "otsu@example.com" }];

const PDF = [{ name: "契約書.pdf" }];

test("an unseen envelope is explained by asking DocuSign, and nothing is imported", async () => {
  await using world = await createWorld();
  const { explain, admin, colleague } = await link(world);
  world.docusign.loseNext(10);
  const ours = await world.docusign.concludeEnvelope({ from: colleague, to: OTSU, documents: PDF });
  const open = await world.docusign.sendEnvelope({ from: admin, to: OTSU, documents: PDF });

  const answers = [(await explain(ours.envelopeId)).body, (await explain(open.envelopeId)).body];
  await world.runJobs();

  const [waiting, excluded] = answers;
  assert.deepEqual([waiting.outcome, waiting.reason], ["waiting", "hourly-timing"]);
  assert.deepEqual(waiting.waitingFor, { reason: "hourly-timing", until: "2031-01-15T04:00:00.000Z" });
  assert.equal(waiting.facts.sentByAccount, true);
  assert.deepEqual([excluded.outcome, excluded.reason], ["excluded", "not-completed"]);
  for (const body of answers) assert.deepEqual([body.linkId, body.attempts, body.contracts], [null, 0, []]);
  assert.deepEqual(await world.contracts(), []);
  const { items } = (await (await world.api()).get("/v1/changes")).body;
  assert.deepEqual(items, []);
});

test("an unseen envelope whose data at DocuSign is incomplete waits until the next hour", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  world.docusign.loseNext(10);
  const envelope = await conclude();
  envelope.completedAt = null;

  const { body } = await explain(envelope.envelopeId);

  assert.deepEqual([body.outcome, body.reason], ["waiting", "completion-unknown"]);
  assert.deepEqual(body.waitingFor, { reason: "completion-unknown", until: "2031-01-15T04:00:00.000Z" });
});

test("an envelope found neither here nor in DocuSign returns 404", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 404);
  assert.equal(body.type, "urn:torikomi:problem:not-found");
});

test("without a link, DocuSign is not called", async () => {
  await using world = await createWorld();

  const { status } = await (await world.api()).get(`/v1/envelopes/${randomUUID()}`);

  assert.equal(status, 404);
  assert.deepEqual(world.docusign.calls, []);
});

test("an unseen envelope is not requested while calls are paused, and the explanation gives the pause's end", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  const until = new Date("2031-01-15T03:25:00Z");
  await world.service.foundation.tasks.budgets.pause(accountOf(admin), until);
  const calls = world.docusign.calls.length;

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.reason], ["unknown", "never-seen"]);
  assert.deepEqual(body.waitingFor, { reason: "account-throttled", until: until.toISOString() });
  assert.match(body.text, /まだ確認されていません.*上限/);
  assert.equal(world.docusign.calls.length, calls);
});

test("a DocuSign limit is explained with its reset and pauses further requests", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  const until = new Date("2031-01-15T03:25:00Z");
  const account = [...world.docusign.state.accounts.values()].find(
    (one) => one.accountId === admin.defaultAccountId,
  );
  assert.ok(account);
  world.docusign.throttle(account, until);

  const first = await explain(randomUUID());
  const calls = world.docusign.calls.length;
  const second = await explain(randomUUID());

  for (const { body } of [first, second]) {
    assert.deepEqual(body.waitingFor, { reason: "account-throttled", until: until.toISOString() });
  }
  assert.equal(world.docusign.calls.length, calls);
});

test("a DocuSign limit for one envelope is explained with its end and pauses no other call", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  const errorCode = "HOURLY_ENVELOPE_POLLING_LIMIT_EXCEEDED";
  world.docusign.failNext(1, { status: 400, body: { errorCode, message: "x" } }, "/envelopes/{envelopeId}");

  const limited = await explain(randomUUID());
  const { envelopeId } = await conclude();
  await world.runJobs();

  const until = "2031-01-15T03:25:00.000Z";
  assert.deepEqual(limited.body.waitingFor, { reason: "account-throttled", until });
  assert.equal((await explain(envelopeId)).body.outcome, "imported");
});

test("if DocuSign is down, the envelope stays unknown with that explanation", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);
  world.docusign.goDown();

  const { status, body } = await explain(randomUUID());
  const english = await explain(randomUUID(), "en");

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.waitingFor.reason], ["unknown", "docusign-unavailable"]);
  assert.equal(
    body.text,
    "この契約書はまだ確認されていません。取り込み対象であれば、次回（毎時0分）の取り込みで確認します。DocuSignから取得できないため、取り込みを待っています。自動的に再試行します。",
  );
  assert.equal(
    english.body.text,
    "Not seen yet. If it is to be imported, the next reconciliation on the hour will find it. Waiting: DocuSign could not be reached, or did not give it. The import is tried again by itself.",
  );
});

test("if DocuSign refuses the linked user access, the envelope stays unknown with that explanation", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);
  world.docusign.failNext(1, { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } });

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.waitingFor], ["unknown", { reason: "link-error", until: null }]);
});

test("if the authorization turns out to be revoked, the envelope stays unknown with that explanation", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  world.docusign.revokeConsent(admin);

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.reason], ["unknown", "never-seen"]);
  assert.deepEqual(body.waitingFor, { reason: "link-error", until: null });
});

test("while the link's authorization is revoked, DocuSign is not called for an unseen envelope", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const calls = world.docusign.calls.length;

  const { body } = await explain(randomUUID());

  assert.deepEqual([body.outcome, body.waitingFor], ["unknown", { reason: "link-error", until: null }]);
  assert.equal(world.docusign.calls.length, calls);
});

test("if DocuSign rejects with an unknown code, the envelope stays unknown with that explanation", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);
  world.docusign.failNext(1, { status: 400, body: { errorCode: "SOMETHING_NEW", message: "x" } });

  const { body } = await explain(randomUUID());

  assert.deepEqual([body.outcome, body.waitingFor.reason], ["unknown", "docusign-unavailable"]);
});

test("without a link, an envelope with a completion event waits for a link, and any other is unknown", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);
  const { id: linkId } = (await (await world.api()).get("/v1/link")).body;
  const [completed, other] = [randomUUID(), randomUUID()];
  for (const [event, envelopeId] of [
    ["recipient-completed", completed],
    ["envelope-completed", completed],
    ["recipient-completed", other],
  ] as const) {
    assert.equal((await post(world, linkId, minimalEvent({ event }, { envelopeId }))).status, 200);
  }
  await (await world.api()).send("DELETE", "/v1/link");

  const [awaited, unknown] = [(await explain(completed)).body, (await explain(other)).body];

  assert.deepEqual([awaited.outcome, awaited.reason, awaited.events.length], ["waiting", "link-ended", 2]);
  assert.deepEqual(awaited.waitingFor, { reason: "link-ended", until: null });
  assert.deepEqual([unknown.outcome, unknown.reason, unknown.events.length], ["unknown", "never-seen", 1]);
  assert.equal(unknown.waitingFor, null);
});
