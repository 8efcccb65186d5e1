import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { countTotals } from "../../src/store/ledger/counts.ts";
import { closeLink } from "../../src/store/links/link-writes.ts";
import { createBrowser } from "../support/browser.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import { countTokens, putGroup } from "../support/link-changes.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { finishLink, type World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

async function groupsOf(world: World): Promise<Record<string, string>> {
  const contracts = await world.contracts();
  return Object.fromEntries(contracts.map(({ source, groupId }) => [source.subject, groupId]));
}

test("an edit redirects future imports to another group without a login; imported contracts stay", async () => {
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

test("an import that is running when its link is edited goes to the new group", async () => {
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

test("editing and ending are refused with their messages without a link, and editing without a group", async () => {
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

test("two tenants that link one account import the same envelopes independently of each other", async () => {
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

test("the audit trail records who did what to a link and when, even after it has ended", async () => {
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
    linked: { groupId: "group-1", ...of, name: "所有者" },
    approved: { envelopes: 1 },
    edited: { from: "group-1", to: "group-2" },
    repaired: { groupId: "group-1", cause: "authorization-revoked", name: "所有者" },
    ended: { state: "active", cause: null },
  });
});

for (const largeImport of [1, 10_000]) {
  const what = largeImport === 1 ? "one that awaits its approval" : "one that imports";
  test(`linking again to repair a link creates its Connect configurations again at once, for ${what}`, async () => {
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

test("a link repaired into another group imports there from then on, including what was waiting", async () => {
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

test("a link is not repaired into a group that was deleted meanwhile, and stays unchanged", async () => {
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

test("repairing a link by a login leaves no token if the link ends during the login", async () => {
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
