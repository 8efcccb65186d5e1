import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { AccountId } from "../../src/domain/identifiers.ts";
import { minimalEvent, post } from "../support/connect.ts";
import type { Envelope, User } from "../support/docusign/state.ts";
import { createWorld, type World } from "../support/world.ts";
import { id } from "./stored.ts";

const OTSU = [{ name: "乙", email: "otsu@example.com" }];
const PDF = [{ name: "契約書.pdf" }];

type Linked = {
  readonly admin: User;
  readonly colleague: User;
  explain: (
    envelopeId: string,
    language?: string,
  ) => Promise<{ status: number; headers: Headers; body: any }>;
  conclude: (from?: User) => Promise<Envelope>;
};

async function link(world: World): Promise<Linked> {
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "山田", role: "DS Admin" });
  const colleague = world.docusign.addUser(account, { name: "佐藤", role: "DS Sender" });
  await world.link(admin);
  await world.runJobs();
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "links:read" });
  return {
    admin,
    colleague,
    async explain(envelopeId, language = "ja") {
      const headers = { authorization: `Bearer ${token}`, "accept-language": language };
      const response = await fetch(`${world.url}/v1/envelopes/${envelopeId}`, { headers });
      return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
    },
    conclude: async (from = admin) =>
      await world.docusign.concludeEnvelope({ from, to: OTSU, documents: PDF }),
  };
}

test("what an event brought is explained with rule, facts, event, attempt and contract", async () => {
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

test("the explanation speaks English to whom prefers it, and Japanese to all others", async () => {
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

test("a deleted contract is remembered in the explanation, with when it was deleted", async () => {
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
  assert.deepEqual(body.contracts, [{ ...contract, deletedAt: world.clock.now.toISOString() }]);
});

test("an excluded envelope is explained by the rule that excludes it, without anybody's address", async () => {
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

test("an announced envelope whose import has not run yet waits for its turn", async () => {
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

test("with hourly imports an announced envelope waits for the hour, and says which", async () => {
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

test("an import that failed tells how often it was tried, with what outcome, and when it is tried again", async () => {
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

test("what stops the whole link is told before what the envelope waits for", async () => {
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

test("that the account takes no calls is told before what the envelope waits for", async () => {
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

test("a throttled account is told with the moment at which it goes on", async () => {
  await using world = await createWorld();
  const { explain, conclude, admin } = await link(world);
  const { envelopeId } = await conclude();
  const until = new Date("2031-01-15T03:25:00Z");
  await world.service.foundation.tasks.budgets.pause(accountOf(admin), until);
  await world.runJobs();

  const { body } = await explain(envelopeId);

  assert.deepEqual(body.waitingFor, { reason: "account-throttled", until: until.toISOString() });
});

test("an envelope that awaits the approval of a large first import says so", async () => {
  await using world = await createWorld({ config: { largeImport: 1 } });
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "山田", role: "DS Admin" });
  const { envelopeId } = await world.docusign.concludeEnvelope({ from: admin, to: OTSU, documents: PDF });
  await world.link(admin);

  const { body } = await (await world.api()).get(`/v1/envelopes/${envelopeId}`);

  assert.deepEqual([body.outcome, body.reason], ["waiting", "awaiting-approval"]);
  assert.equal(body.linkId, null);
});

test("an envelope never seen is explained by asking DocuSign what would become of it, and nothing is imported", async () => {
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

test("an envelope never seen of which DocuSign tells too little waits for that, until the next hour asks again", async () => {
  await using world = await createWorld();
  const { explain, conclude } = await link(world);
  world.docusign.loseNext(10);
  const envelope = await conclude();
  envelope.completedAt = null;

  const { body } = await explain(envelope.envelopeId);

  assert.deepEqual([body.outcome, body.reason], ["waiting", "completion-unknown"]);
  assert.deepEqual(body.waitingFor, { reason: "completion-unknown", until: "2031-01-15T04:00:00.000Z" });
});

test("what neither side knows is not found", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 404);
  assert.equal(body.type, "urn:torikomi:problem:not-found");
});

test("without a link nobody is asked", async () => {
  await using world = await createWorld();

  const { status } = await (await world.api()).get(`/v1/envelopes/${randomUUID()}`);

  assert.equal(status, 404);
  assert.deepEqual(world.docusign.calls, []);
});

test("an envelope never seen is not asked for while the account may not be called, and says until when", async () => {
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

test("DocuSign's refusal of one call too many is told with its reset, and keeps further questions from being asked", async () => {
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

test("a DocuSign that is away leaves it unknown, and says so", async () => {
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

test("a DocuSign that does not let the linked user ask leaves it unknown, and says so", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);
  world.docusign.failNext(1, { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } });

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.waitingFor], ["unknown", { reason: "link-error", until: null }]);
});

test("an authorisation that turns out to be gone leaves it unknown, and says so", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  world.docusign.revokeConsent(admin);

  const { status, body } = await explain(randomUUID());

  assert.equal(status, 200);
  assert.deepEqual([body.outcome, body.reason], ["unknown", "never-seen"]);
  assert.deepEqual(body.waitingFor, { reason: "link-error", until: null });
});

test("while the link's authorisation is gone nobody asks DocuSign for what was never seen", async () => {
  await using world = await createWorld();
  const { explain, admin } = await link(world);
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const calls = world.docusign.calls.length;

  const { body } = await explain(randomUUID());

  assert.deepEqual([body.outcome, body.waitingFor], ["unknown", { reason: "link-error", until: null }]);
  assert.equal(world.docusign.calls.length, calls);
});

test("a refusal of DocuSign's that nobody knows leaves it unknown, and says so", async () => {
  await using world = await createWorld();
  const { explain } = await link(world);
  world.docusign.failNext(1, { status: 400, body: { errorCode: "SOMETHING_NEW", message: "x" } });

  const { body } = await explain(randomUUID());

  assert.deepEqual([body.outcome, body.waitingFor.reason], ["unknown", "docusign-unavailable"]);
});

test("once a new link has listed it, the explanation tells that the contract was imported before", async () => {
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

test("once a new link has listed it, the explanation of what was deleted before still tells of the deletion", async () => {
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

test("without a link an envelope waits for one whose completion was among what events told, and of others nothing is known", async () => {
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

function accountOf(user: User): AccountId {
  return id(user.defaultAccountId);
}
