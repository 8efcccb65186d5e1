import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { openDocuSignAccount } from "../../src/docusign/api/account.ts";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { Refusal } from "../../src/domain/refusal.ts";
import type { Database } from "../../src/store/database.ts";
import { countTotals } from "../../src/store/ledger/counts.ts";
import { markGroupDeleted } from "../../src/store/links/groups.ts";
import { closeLink } from "../../src/store/links/link-writes.ts";
import { createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { endLink as endLinkOf } from "../../src/usecases/linking/end-link.ts";
import { createBrowser } from "../support/browser.ts";
import { minimalEvent, post } from "../support/connect.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import type { Call } from "../support/docusign/exchange.ts";
import type { Account } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  historyOf,
  importRequestOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf } from "../support/reconciling.ts";
import { allowWrites, refuseWrites } from "../support/refused-writes.ts";
import { stepNow, stepOn } from "../support/stepping.ts";
import { finishLink, type World } from "../support/world.ts";

const DELETION_FAILED = "削除に失敗しました。もう一度お試しください。";
const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

const OWNER = { tenant: "tenant-1", subject: "owner" };

const isRemoval = ({ method, template }: Call): boolean =>
  method === "DELETE" && template === "/connect/{connectId}";

const isCreation = ({ method, template }: Call): boolean => method === "POST" && template === "/connect";

const isOfConnect = ({ template }: Call): boolean => template.startsWith("/connect");

/** A refusal of DocuSign's that says nothing of the user's right. */
const UNNAMED = { body: { errorCode: "UNSPECIFIED_ERROR", message: "An error occurred." } };

/** The account's configurations without their ids, which change when they are made again. */
function settingsOf(world: World, account: Account): object[] {
  return world.docusign
    .configurations(account)
    .toSorted((one, other) => one.configurationType.localeCompare(other.configurationType))
    .map(({ connectId: _connectId, ...settings }) => settings);
}

async function countTokens(world: World): Promise<number> {
  const rows = await world.service.foundation.working.db.selectFrom("link_token").select("link_id").execute();
  return rows.length;
}

async function putGroup(world: World, id: string): Promise<void> {
  const { status } = await (await world.api()).send("PUT", `/v1/groups/${id}`, { name: "契約書" });
  assert.equal(status, 200);
}

async function groupsOf(world: World): Promise<Record<string, string>> {
  const contracts = await world.contracts();
  return Object.fromEntries(contracts.map(({ source, groupId }) => [source.subject, groupId]));
}

test("editing sends imports from then on to another group, without a login; what is imported stays", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await putGroup(world, "group-2");
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "before" });
  await world.runJobs();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "announced before" });

  const { status, body } = await (await world.api()).send("PATCH", "/v1/link", { groupId: "group-2" });
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "after" });
  await world.runHour();

  assert.equal(status, 200);
  assert.equal(body.groupId, "group-2");
  assert.deepEqual(body, { ...(await linkOf(world)), ...body });
  assert.deepEqual(await groupsOf(world), {
    before: "group-1",
    "announced before": "group-2",
    after: "group-2",
  });
});

test("an import that is under way while its link is edited goes to the new group", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await putGroup(world, "group-2");
  const api = await world.api();
  world.docusign.onNext(
    DOCUMENT,
    async () => void (await api.send("PATCH", "/v1/link", { groupId: "group-2" })),
  );

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "under way" });
  await world.runJobs();

  assert.deepEqual(await groupsOf(world), { "under way": "group-2" });
});

test("editing and ending refuse with their messages where there is no link, editing where there is no group", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const api = await world.api();
  const edit = async (groupId: string) => await api.send("PATCH", "/v1/link", { groupId });

  const noGroup = await edit("unknown");
  assert.equal((await endLink(world)).status, 204);
  const [edited, ended, approved] = [
    await edit("group-1"),
    await endLink(world),
    await api.send("POST", "/v1/link/approve"),
  ];

  assert.equal(noGroup.status, 422);
  assert.equal(noGroup.body.detail, "取り込み先契約書グループが見つかりませんでした。");
  for (const { status, body } of [edited, ended, approved]) {
    assert.deepEqual([status, body.detail], [404, "連携情報が見つかりませんでした。"]);
  }
});

test("ending destroys the tokens, answers events with 410, and keeps history and contracts", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const { id } = await linkOf(world);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
  await world.runJobs();
  const before = await world.contracts();

  assert.equal((await endLink(world)).status, 204);

  assert.equal(await countTokens(world), 0);
  assert.deepEqual(world.docusign.configurations(account), []);
  assert.equal((await post(world, id, minimalEvent())).status, 410);
  assert.equal((await (await world.api()).get("/v1/link")).status, 404);
  const history = await historyOf(world);
  assert.deepEqual(
    history.map((link) => [link.id, link.state, link.endedAt]),
    [[id, "ended", "2031-01-15T03:10:00.000Z"]],
  );
  assert.deepEqual(await world.contracts(), before);
  const calls = world.docusign.calls.length;
  await world.runHour();
  assert.equal(world.docusign.calls.length, calls, "an ended link calls nobody");
});

/** Everything of the link but what the hours count on. */
async function standing(world: World): Promise<object> {
  const { lastReconciliation: _last, nextReconciliation: _next, ...link } = await linkOf(world);
  return link;
}

for (const [when, befall] of Object.entries({
  "at the last look": (world: World) => world.docusign.failNext(1, { status: 503 }, "/envelopes"),
  "at the first configuration": (world: World) => world.docusign.failNext(1, { status: 503 }, isRemoval),
  "at the second configuration": (world: World) => {
    let removals = 0;
    world.docusign.failNext(1, { status: 503 }, (call) => isRemoval(call) && ++removals === 2);
  },
})) {
  test(`a deletion that DocuSign fails ${when} leaves everything as it was, and succeeds later`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, admin, colleague, partner } = companies;
    const before = await standing(world);
    befall(world);

    const { status, body } = await endLink(world);
    assert.deepEqual([status, body.detail], [502, DELETION_FAILED]);
    assert.deepEqual(await standing(world), before);
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "sent" });
    await world.docusign.concludeEnvelope({ from: partner, to: [admin], subject: "received" });
    await world.runJobs();
    assert.deepEqual(await subjects(world), ["received", "sent"]);

    assert.equal((await endLink(world)).status, 204);
    assert.deepEqual(world.docusign.configurations(account), []);
  });
}

test("a deletion fails while DocuSign is down, half-way too; once it is back the link works as before", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  let removals = 0;
  world.docusign.onNext(
    (call) => isRemoval(call) && ++removals === 1,
    () => world.docusign.goDown(),
  );

  const halfWay = await endLink(world);
  const wholly = await endLink(world);
  world.docusign.comeUp();
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  await world.runHour();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();

  assert.deepEqual([halfWay.status, wholly.status], [502, 502]);
  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual((await linkOf(world)).connect, { sent: "active", received: "active" });
  assert.equal(world.docusign.configurations(account).length, 2);
  assert.deepEqual(await subjects(world), ["heard", "meanwhile"]);
});

test("a deletion that fails half-way restores a configuration as switched off as it was", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.changeConfiguration(account, connectId, { allowEnvelopePublish: "false" });
  }
  world.clock.pass(24 * 60 * 60 * 1000);
  await world.runHour();
  let removals = 0;
  world.docusign.failNext(1, { status: 503 }, (call) => isRemoval(call) && ++removals === 2);

  assert.equal((await endLink(world)).status, 502);

  const enabled = world.docusign.configurations(account).map((one) => one.allowEnvelopePublish);
  assert.deepEqual(enabled, ["false", "false"]);
  assert.deepEqual((await linkOf(world)).connect, { sent: "switched-off", received: "switched-off" });
});

for (const status of [400, 409, 413]) {
  test(`a deletion fails while DocuSign answers ${status} to the removal of what the user may remove, and leaves the link as before`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account } = companies;
    const before = { link: await linkOf(world), settings: settingsOf(world, account) };
    let removals = 0;
    world.docusign.failNext(1, { status, ...UNNAMED }, (call) => isRemoval(call) && ++removals === 2);

    const failed = await endLink(world);

    assert.deepEqual([failed.status, failed.body.detail], [502, DELETION_FAILED]);
    const { state, connect } = await linkOf(world);
    assert.deepEqual([state, connect], [before.link.state, before.link.connect]);
    assert.deepEqual(settingsOf(world, account), before.settings);
    assert.match(world.logged.join(""), /"fault":"UNSPECIFIED_ERROR","kind":"never","msg":"deletion failed"/);
    assert.match(
      world.logged.join(""),
      /"cause":\{"type":"DocuSignFault".*"msg":"request could not be served"/,
    );
    assert.equal((await endLink(world)).status, 204);
    assert.deepEqual(world.docusign.configurations(account), []);
  });
}

for (const error of ["invalid_client", "unauthorized_client"]) {
  test(`a deletion fails while DocuSign answers ${error} to our own secret, for a link that imports and one that does not`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account } = companies;
    const before = await linkOf(world);
    world.clock.pass(9 * 60 * 60 * 1000);
    world.docusign.failNext(100, { status: 401, body: { error } }, "/oauth/token");

    const active = await endLink(world);
    const { state, connect } = await linkOf(world);
    assert.equal((await (await world.api()).send("DELETE", "/v1/groups/group-1")).status, 204);
    const idle = await endLink(world);

    assert.deepEqual([active.status, state, connect], [502, before.state, before.connect]);
    assert.equal(idle.status, 502);
    assert.deepEqual((await linkOf(world)).connect, { sent: "pending", received: "pending" });
    world.docusign.calmDown();
    assert.equal((await endLink(world)).status, 204);
    assert.deepEqual(world.docusign.configurations(account), []);
  });
}

test("an hour that strikes while a link is being deleted makes nothing anew of what is taken away", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  let removals = 0;
  world.docusign.onNext(
    (call) => isRemoval(call) && ++removals === 2,
    async () => await world.runHour(),
  );

  const ended = await endLink(world);

  assert.equal(ended.status, 204);
  assert.deepEqual(world.docusign.configurations(account), []);
  await world.runHour();
  assert.deepEqual(world.docusign.configurations(account), []);
});

test("a deletion asked for while an hour makes configurations anew takes away what that hour has made", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "missed" });
  const { tasks } = world.service.foundation;
  const ended = Promise.withResolvers<void>();
  world.docusign.onNext(isCreation, async () => {
    const begun = Promise.withResolvers<void>();
    const openAccount: typeof tasks.openAccount = (...options) => {
      begun.resolve();
      return tasks.openAccount(...options);
    };
    endLinkOf({ ...tasks, openAccount }, OWNER).then(ended.resolve, ended.reject);
    await begun.promise;
  });

  await world.runHour();
  await ended.promise;

  assert.equal((await (await world.api()).get("/v1/link")).status, 404);
  assert.deepEqual(world.docusign.configurations(account), []);
});

test("an owner whose configurations DocuSign will never remove is let go once they are removed by hand, or the authorisation withdrawn", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.failNext(1_000, { status: 400, ...UNNAMED }, isRemoval);

  assert.equal((await endLink(world)).status, 502);
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  assert.equal((await endLink(world)).status, 502);
  world.docusign.revokeConsent(admin);

  assert.equal((await endLink(world)).status, 204);
});

test("a deletion succeeds where an account, suspended or without Connect, is refused all of Connect in words that we do not know", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.failNext(1_000, { status: 400, ...UNNAMED }, isOfConnect);

  assert.equal((await endLink(world)).status, 204);
});

test("a deletion succeeds, and removes what is there, where DocuSign will not list what completed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  world.docusign.failNext(1_000, { status: 400, ...UNNAMED }, "/envelopes");

  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(world.docusign.configurations(account), []);
});

test("a deletion succeeds where the authorisation is gone, noticed before or only now", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;

  world.docusign.revokeConsent(admin);
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  world.docusign.revokeConsent(admin);
  await world.runHour();
  assert.equal((await linkOf(world)).state, "error");
  assert.equal((await endLink(world)).status, 204);

  assert.equal(await countTokens(world), 0);
});

test("a deletion succeeds where the user is no admin any more, noticed before or only now", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;

  world.docusign.setRole(admin, account, "DS Sender");
  assert.equal((await endLink(world)).status, 204);
  world.docusign.setRole(admin, account, "DS Admin");
  assert.equal(await world.link(admin), "linked");
  world.docusign.setRole(admin, account, "DS Viewer");
  await world.runHour();
  assert.equal((await linkOf(world)).state, "error");

  assert.equal((await endLink(world)).status, 204);
});

test("two deletions at once end the link once", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;

  let statuses: number[] = [];
  const calls = await callsOf(world, async () => {
    statuses = (await Promise.all([endLink(world), endLink(world)])).map(({ status }) => status);
  });

  assert.ok(statuses.includes(204), statuses.join());
  assert.ok(
    statuses.every((status) => status === 204 || status === 404),
    statuses.join(),
  );
  const [link] = await historyOf(world);
  assert.deepEqual(
    link.audit.map(({ action }: { action: string }) => action),
    ["linked", "ended"],
  );
  const ofConnect = calls.filter((call) => call.includes("/connect"));
  assert.deepEqual(ofConnect, ["DELETE /connect/{connectId}", "DELETE /connect/{connectId}"]);
});

test("a large first import waits for its approval, tells its size and duration, and takes everything up once approved", async () => {
  await using companies = await createCompanies({ config: { largeImport: 3 } });
  const { world, admin, colleague, partner } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "1" });
  await concludeUnheard(world, { from: colleague, to: [admin], subject: "2" });
  await concludeUnheard(world, { from: partner, to: [admin], subject: "3" });

  assert.equal(await world.link(admin), "awaiting-approval");
  const announced = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "4" });
  await world.runHour();
  const waiting = await linkOf(world);
  assert.equal(waiting.state, "awaiting-approval");
  assert.equal(waiting.firstImport.total, 3);
  assert.ok(Date.parse(waiting.firstImport.estimatedEnd) > world.clock.now.getTime());
  assert.equal(await fateOf(world, announced), "waiting awaiting-approval");
  assert.deepEqual(await world.contracts(), []);
  const api = await world.api();
  const approved = await api.send("POST", "/v1/link/approve");
  const again = await api.send("POST", "/v1/link/approve");
  await world.runJobs();

  assert.deepEqual([approved.status, approved.body.state], [200, "active"]);
  assert.deepEqual([again.status, again.body.type], [409, "urn:torikomi:problem:not-awaiting-approval"]);
  assert.deepEqual(await subjects(world), ["1", "2", "3", "4"]);
});

test("what is both sent and received counts once for the size of the first import", async () => {
  await using companies = await createCompanies({ config: { largeImport: 2 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [admin] });

  assert.equal(await world.link(admin), "linked");
});

test("a link that needs no approval has none to give", async () => {
  await using companies = await createLinkedCompanies();

  const { status } = await (await companies.world.api()).send("POST", "/v1/link/approve");

  assert.equal(status, 409);
});

test("an approval given while the link is in error counts once it is mended", async () => {
  await using companies = await createAwaitingWithoutGroup();
  const { world } = companies;
  const api = await world.api();
  assert.equal((await linkOf(world)).state, "error");

  const { status, body } = await api.send("POST", "/v1/link/approve");
  await world.runJobs();
  assert.deepEqual([status, body.state, body.cause.code], [200, "error", "group-missing"]);
  assert.deepEqual(await world.contracts(), []);
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["old"]);
});

test("neither an approval nor an edit mends a link whose authorisation is gone, nor do they ask DocuSign", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await putGroup(world, "group-2");
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const api = await world.api();

  const asked = await callsOf(world, async () => {
    assert.equal((await api.send("PATCH", "/v1/link", { groupId: "group-2" })).status, 200);
    await world.runJobs();
    assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
    await world.runJobs();
  });

  const { state, cause, groupId } = await linkOf(world);
  assert.deepEqual(asked, []);
  assert.deepEqual([state, cause.code, groupId], ["error", "authorization-revoked", "group-2"]);
});

/** A link that awaits the approval of what was concluded before it, and whose group is gone. */
async function createAwaitingWithoutGroup(): Promise<Companies> {
  const companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "old" });
  assert.equal(await world.link(admin), "awaiting-approval");
  await (await world.api()).send("DELETE", "/v1/groups/group-1");
  return companies;
}

test("a link that is mended by linking again still awaits the approval that it awaited, and says so", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const result = await world.link(admin, { group: "group-2" });
  await world.runHour();

  assert.equal(result, "awaiting-approval");
  assert.equal((await linkOf(world)).state, "awaiting-approval");
  assert.deepEqual(await world.contracts(), []);
});

test("while the group of a link that awaits its approval is gone, nothing is listed before that is given", async () => {
  await using companies = await createAwaitingWithoutGroup();
  const { world } = companies;
  const api = await world.api();

  const before = await callsOf(world, async () => await world.runHour());
  assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
  await world.runHour();
  const { state, totals } = await linkOf(world);
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.deepEqual(before, []);
  assert.deepEqual([state, totals.waiting], ["error", 1]);
  assert.deepEqual(await subjects(world), ["old"]);
});

test("a group that vanishes and comes back leaves an approval awaited that was awaited", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");

  await (await world.api()).send("DELETE", "/v1/groups/group-1");
  await putGroup(world, "group-1");
  await world.runHour();

  assert.equal((await linkOf(world)).state, "awaiting-approval");
  assert.deepEqual(await world.contracts(), []);
});

for (const [how, mend] of Object.entries({
  "another group is chosen": async (world: World) => {
    await putGroup(world, "group-2");
    const { status } = await (await world.api()).send("PATCH", "/v1/link", { groupId: "group-2" });
    assert.equal(status, 200);
  },
  "the group comes back": async (world: World) => await putGroup(world, "group-1"),
})) {
  test(`while the group is gone imports wait, visibly, and go on when ${how}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    assert.equal((await (await world.api()).send("DELETE", "/v1/groups/group-1")).status, 204);
    const heard = await world.docusign.concludeEnvelope({
      from: colleague,
      to: [CUSTOMER],
      subject: "heard",
    });
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
    await world.runHour();

    const { state, cause } = await linkOf(world);
    assert.deepEqual([state, cause.code], ["error", "group-missing"]);
    assert.equal(await fateOf(world, heard), "waiting group-missing");
    assert.deepEqual(await world.contracts(), []);
    await mend(world);
    await world.runJobs();

    assert.equal((await linkOf(world)).state, "active");
    assert.deepEqual(await subjects(world), ["heard", "unheard"]);
  });
}

test("a group that vanishes during an import stops that import, and what it fetched is used later", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const api = await world.api();
  world.docusign.onNext(DOCUMENT, async () => void (await api.send("DELETE", "/v1/groups/group-1")));

  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "under way",
  });
  await world.runJobs();
  assert.deepEqual(await world.contracts(), []);
  assert.equal((await linkOf(world)).cause.code, "group-missing");
  const { reason, attempts, lastError } = await explain(world, envelope);
  assert.deepEqual([reason, attempts, lastError], ["group-missing", 0, null]);
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["under way"]);
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
});

test("a group that vanished while the link had another error is noticed once that is mended", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  await (await world.api()).send("DELETE", "/v1/groups/group-1");
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  world.docusign.setRole(admin, account, "DS Admin");

  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "group-missing");
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["meanwhile"]);
});

test("imports that find their group gone at the same moment all wait, and none for another", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { tasks } = world.service.foundation;
  const linkId = parseUuid<LinkId>((await linkOf(world)).id)!;
  const together = Promise.withResolvers<void>();
  const envelopeIds: string[] = [];
  let arrived = 0;
  for (let count = 0; count < 5; count += 1) {
    const { envelopeId } = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    envelopeIds.push(envelopeId);
    world.docusign.onNext(
      ({ template, path }) => template === DOCUMENT && path.includes(envelopeId),
      async () => {
        arrived += 1;
        if (arrived === 5) together.resolve();
        await together.promise;
      },
    );
  }
  await markGroupDeleted(tasks.db, "tenant-1", "group-1", world.clock.now);

  const outcomes = await Promise.all(
    envelopeIds.map(async (id) =>
      importEnvelope(tasks, { linkId, envelopeId: parseUuid<EnvelopeId>(id)!, foundBy: "event" }),
    ),
  );

  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === "waiting" ? outcome.reason : outcome.kind)),
    envelopeIds.map(() => "group-missing"),
  );
});

test("what was counted at linking is there from the approval on, though it is not listed yet; what is not listed in the end is not", async () => {
  await using companies = await createCompanies({ config: { largeImport: 3 } });
  const { world, admin, colleague, partner } = companies;
  const concluded = [
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] }),
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] }),
    await concludeUnheard(world, { from: partner, to: [admin] }),
  ];
  assert.equal(await world.link(admin), "awaiting-approval");
  world.docusign.lateInListing(concluded[1]!, new Date("2031-02-01T00:00:00Z"));
  assert.equal((await (await world.api()).send("POST", "/v1/link/approve")).status, 200);
  const atDocuSign = [(await linkOf(world)).totals.atDocuSign];

  const page = await stepNow(world);
  atDocuSign.push((await linkOf(world)).totals.atDocuSign);
  await stepOn(world);
  atDocuSign.push((await linkOf(world)).totals.atDocuSign);

  assert.equal(page.kind, "more");
  assert.deepEqual(atDocuSign, [3, 3, 2]);
});

test("a link that is ended while DocuSign says that its user is an admin again stays ended", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  world.docusign.setRole(admin, account, "DS Admin");
  world.docusign.onNext("/users/{userId}", async () => assert.equal((await endLink(world)).status, 204));

  await world.runHour();

  const [ended] = await historyOf(world);
  assert.deepEqual([ended.state, await countTokens(world)], ["ended", 0]);
  const { rows } = await sql`select 1 from graphile_worker.jobs`.execute(world.service.foundation.working.db);
  assert.deepEqual(rows, [], "nothing is left to be done for it");
});

const MEANWHILE: Readonly<Record<string, { does: (tx: Database) => Promise<unknown>; after: unknown[] }>> = {
  "and is back before the link is stopped for it, stops no link": {
    does: async (tx) => await sql`update cabinet_group set deleted_at = null`.execute(tx),
    after: ["active", null],
  },
  "while the link comes into another error, leaves it that cause": {
    does: async (tx) =>
      await sql`update link set state = 'error', cause = 'authorization-revoked'`.execute(tx),
    after: ["error", "authorization-revoked"],
  },
};

for (const [what, { does, after }] of Object.entries(MEANWHILE)) {
  test(`a group that an import finds gone, ${what}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const { tasks } = world.service.foundation;
    const request = await importRequestOf(
      world,
      await concludeUnheard(world, { from: colleague, to: [CUSTOMER] }),
    );
    await markGroupDeleted(tasks.db, "tenant-1", "group-1", world.clock.now);

    const { outcome } = await tasks.db.transaction().execute(async (tx) => {
      // An import shares the link's lock, and waits for it alone where it stops the link.
      await sql`select 1 from link for share`.execute(tx);
      const outcome = importEnvelope(tasks, request);
      while (!(await isWaitingForLock(world)));
      await does(tx);
      return { outcome };
    });

    assert.deepEqual(await outcome, { kind: "waiting", reason: "group-missing", until: world.clock.now });
    const { state, cause } = await linkOf(world);
    assert.deepEqual([state, cause?.code ?? null], after);
  });
}

test("a group can vanish, come back and be chosen while an import commits: neither waits for the other without end", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db } = world.service.foundation.working;
  const api = await world.api();
  const requests = [
    ["DELETE", "/v1/groups/group-1", undefined],
    ["PUT", "/v1/groups/group-1", { name: "再び" }],
    ["PATCH", "/v1/link", { groupId: "group-1" }],
  ] as const;

  const statuses: number[] = [];
  for (const [method, path, body] of requests) {
    const { answer } = await db.transaction().execute(async (tx) => {
      await sql`select 1 from link for share`.execute(tx);
      const answer = api.send(method, path, body);
      while (!(await isWaitingForLock(world)));
      await sql`select 1 from cabinet_group for share`.execute(tx);
      return { answer };
    });
    statuses.push((await answer).status);
  }

  assert.deepEqual(statuses, [204, 200, 200]);
  assert.equal((await linkOf(world)).state, "active");
});

test("two tenants that link one account import the same envelopes and know nothing of each other", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  const second = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  assert.equal(await world.link(second, { tenant: "tenant-2" }), "linked");
  await world.runJobs();
  assert.equal(await world.link(admin, { tenant: "tenant-3" }), "linked");
  await world.runJobs();

  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "shared",
  });
  await world.runJobs();
  const [contract] = await world.contracts();
  const foreign = await (await world.api("tenant-2")).get(`/v1/contracts/${contract.id}`);
  assert.equal((await (await world.api()).send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
  assert.equal((await endLink(world)).status, 204);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "later" });
  await world.runHour();

  assert.equal(foreign.status, 404);
  assert.deepEqual(
    [await subjects(world), await subjects(world, "tenant-2"), await subjects(world, "tenant-3")],
    [[], ["later", "shared"], ["later", "shared"]],
  );
  assert.equal(await fateOf(world, envelope, "tenant-2"), "imported sent");
  assert.equal((await linkOf(world, "tenant-2")).sentFrom, null);
});

test("the audit trail tells who did what to a link and when, also after it has ended", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const as = async (sub: string) => {
    const token = await world.cabinet.token({ tenant: "tenant-1", scope: "links:write groups:write", sub });
    return async (method: string, path: string, body?: object) => {
      world.clock.pass(60_000);
      const response = await fetch(`${world.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      assert.ok(response.ok, `${method} ${path} ${response.status}`);
    };
  };
  const [bob, carol] = [await as("bob"), await as("carol")];

  assert.equal(await world.link(admin), "awaiting-approval");
  await bob("POST", "/v1/link/approve");
  await bob("PUT", "/v1/groups/group-2", { name: "別" });
  await carol("PATCH", "/v1/link", { groupId: "group-2" });
  world.docusign.revokeConsent(admin);
  await world.runHour();
  assert.equal(await world.link(admin), "linked");
  await bob("DELETE", "/v1/link");

  const [{ audit }] = await historyOf(world);
  assert.deepEqual(
    audit.map(({ at, subject, action }: Record<string, string>) => `${at} ${subject} ${action}`),
    [
      "2031-01-15T03:10:00.000Z owner of tenant-1 linked",
      "2031-01-15T03:11:00.000Z bob approved",
      "2031-01-15T03:13:00.000Z carol edited",
      "2031-01-15T04:00:00.000Z owner of tenant-1 repaired",
      "2031-01-15T04:01:00.000Z bob ended",
    ],
  );
  const { db } = world.service.foundation.working;
  const rows = await db.selectFrom("audit").select(["action", "details"]).orderBy("at").execute();
  const of = { accountId: companies.account.accountId, userId: admin.userId };
  assert.deepEqual(Object.fromEntries(rows.map(({ action, details }) => [action, details])), {
    linked: { groupId: "group-1", ...of },
    approved: { envelopes: 1 },
    edited: { from: "group-1", to: "group-2" },
    repaired: { groupId: "group-1", cause: "authorization-revoked" },
    ended: { state: "active", cause: null },
  });
});

test("a deletion that our own database fails is a fault of ours, and the link is as before", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world } = companies;
  const { db } = world.service.foundation.working;
  const before = await linkOf(world);
  await refuseWrites(db, "reconciliation");

  const failed = await endLink(world);

  await allowWrites(db, "reconciliation");
  assert.equal(failed.status, 500);
  assert.deepEqual(await linkOf(world), before);
  assert.equal((await endLink(world)).status, 204);
});

test("a deletion that our own database fails after DocuSign's part has its configurations made again by the next hour", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, account } = companies;
  const { db } = world.service.foundation.working;
  const before = await linkOf(world);
  await refuseWrites(db, "audit");

  const failed = await endLink(world);

  await allowWrites(db, "audit");
  const left = world.docusign.configurations(account);
  const { state, connect } = await linkOf(world);
  await world.runHour();
  assert.deepEqual([failed.status, left], [500, []]);
  assert.deepEqual([state, connect], ["active", { sent: "pending", received: "pending" }]);
  assert.deepEqual((await linkOf(world)).connect, before.connect);
  assert.equal(world.docusign.configurations(account).length, 2);
});

test("a deletion that DocuSign leaves without an answer asks no more: the next hour makes what may be gone", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const { tasks } = world.service.foundation;
  const tokens = createAccessTokens(tasks);
  const impatient: typeof tasks = {
    ...tasks,
    openAccount: ({ id, account: { baseUri, id: accountId } }) =>
      openDocuSignAccount({
        baseUri,
        accountId,
        accessToken: async (stale) => await tokens.get(id, stale),
        timeoutMs: 500,
      }),
  };
  world.docusign.hangNext(isRemoval);

  await assert.rejects(endLinkOf(impatient, OWNER), new Refusal("deletion-failed"));

  const { connect } = await linkOf(world);
  assert.equal(isRemoval(world.docusign.calls.at(-1)!), true, "the removal was the last thing asked for");
  await world.runHour();
  assert.deepEqual(connect, { sent: "pending", received: "pending" });
  assert.deepEqual((await linkOf(world)).connect, { sent: "active", received: "active" });
  assert.equal(world.docusign.configurations(account).length, 2);
});

for (const largeImport of [1, 10_000]) {
  const what = largeImport === 1 ? "one that awaits its approval" : "one that imports";
  test(`linking again to mend a link makes its Connect anew at once, of ${what}`, async () => {
    await using companies = await createCompanies({ config: { largeImport } });
    const { world, admin, account, colleague } = companies;
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    await world.link(admin);
    world.docusign.revokeConsent(admin);
    await world.runHour();
    for (const { connectId } of world.docusign.configurations(account))
      world.docusign.removeConfiguration(account, connectId);

    const result = await world.link(admin);

    assert.equal(result, largeImport === 1 ? "awaiting-approval" : "linked");
    assert.equal(world.docusign.configurations(account).length, 2);
  });
}

test("a link that is mended into another group imports there from then on, what waited included", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  await putGroup(world, "group-2");
  world.docusign.revokeConsent(admin);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runHour();

  const result = await world.link(admin, { group: "group-2" });
  await world.runJobs();

  assert.deepEqual([result, (await linkOf(world)).groupId], ["linked", "group-2"]);
  assert.deepEqual(
    (await world.contracts()).map(({ groupId }) => groupId),
    ["group-2"],
  );
});

test("a link is not mended into a group that was deleted meanwhile, and stays as it was", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, account } = companies;
  await putGroup(world, "group-2");
  world.docusign.revokeConsent(admin);
  await world.runHour();
  for (const { connectId } of world.docusign.configurations(account))
    world.docusign.removeConfiguration(account, connectId);
  const before = await linkOf(world);
  const { body } = await (await world.api()).send("POST", "/v1/link", { groupId: "group-2" });
  await (await world.api()).send("DELETE", "/v1/groups/group-2");

  const result = await finishLink(world, createBrowser(), {
    person: world.owner(),
    user: admin,
    authorizationUrl: body.authorizationUrl,
  });

  assert.equal(result, "group-not-found");
  assert.deepEqual(await linkOf(world), before);
  assert.deepEqual(world.docusign.configurations(account), []);
});

test("a linking that was begun to mend a link leaves no token where that ends meanwhile", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const { db } = world.service.foundation.working;
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const id = parseUuid<LinkId>((await linkOf(world)).id)!;
  const begun = await (await world.api()).send("POST", "/v1/link", { groupId: "group-1" });
  const { authorizationUrl } = begun.body;

  const { result } = await db.transaction().execute(async (tx) => {
    await sql`select 1 from link for update`.execute(tx);
    const result = finishLink(world, createBrowser(), {
      person: world.owner(),
      user: admin,
      authorizationUrl,
    });
    while (!(await isWaitingForLock(world)));
    const endedAt = world.clock.now;
    const totals = await countTotals(tx, id);
    await closeLink(tx, id, { endedAt, sentUntil: endedAt, receivedUntil: endedAt, totals });
    return { result };
  });

  assert.equal(await result, "link-not-found");
  assert.equal(await countTokens(world), 0);
});

test("a removal that DocuSign keeps waiting fails with its message, and the next reconciliation looks what is there", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const before = (await linkOf(world)).connect;
  // As when the process has to end; a call that nobody answers ends alike.
  world.docusign.onNext(
    ({ method }) => method === "DELETE",
    () => world.service.foundation.giveUp(),
  );

  const failed = await endLink(world);

  assert.deepEqual([failed.status, failed.body.detail], [502, DELETION_FAILED]);
  const link = await linkOf(world);
  assert.equal(link.state, "active");
  assert.deepEqual(link.connect, { sent: "pending", received: "pending" });
  await world.restart();
  await world.runHour();
  assert.deepEqual((await linkOf(world)).connect, before);
});
