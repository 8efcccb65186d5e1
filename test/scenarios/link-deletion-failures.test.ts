import assert from "node:assert/strict";
import { test } from "node:test";
import { openDocuSignAccount } from "../../src/docusign/api/account.ts";
import { Refusal } from "../../src/domain/refusal.ts";
import { createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import { endLink as endLinkOf } from "../../src/usecases/linking/end-link.ts";
import type { Account } from "../support/docusign/state.ts";
import { isRemoval, UNNAMED } from "../support/link-changes.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { allowWrites, refuseWrites } from "../support/refused-writes.ts";
import type { World } from "../support/world.ts";

const DELETION_FAILED = "削除に失敗しました。もう一度お試しください。";

const OWNER = { tenant: "tenant-1", subject: "owner" };

/** The account's configurations without their ids, which change when they are created again. */
function settingsOf(world: World, account: Account): object[] {
  return world.docusign
    .configurations(account)
    .toSorted((one, other) => one.configurationType.localeCompare(other.configurationType))
    .map(({ connectId: _connectId, ...settings }) => settings);
}

/** The link without the fields that every hourly run changes. */
async function standing(world: World): Promise<object> {
  const { lastReconciliation: _last, nextReconciliation: _next, ...link } = await linkOf(world);
  return link;
}

for (const [when, befall] of Object.entries({
  "in the last look": (world: World) => world.docusign.failNext(1, { status: 503 }, "/envelopes"),
  "at the first configuration": (world: World) => world.docusign.failNext(1, { status: 503 }, isRemoval),
  "at the second configuration": (world: World) => {
    let removals = 0;
    world.docusign.failNext(1, { status: 503 }, (call) => isRemoval(call) && ++removals === 2);
  },
})) {
  test(`a deletion that fails at DocuSign ${when} leaves everything as it was and succeeds later`, async () => {
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

test("a deletion fails while DocuSign is down, also half-way; afterwards the link works as before", async () => {
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

test("a deletion that fails half-way restores a switched-off configuration as switched off", async () => {
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
  test(`a deletion fails if DocuSign answers ${status} to a removal that the user may make, and leaves the link as before`, async () => {
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
  test(`a deletion fails if DocuSign answers ${error} to our own secret, for a link that imports and one that does not`, async () => {
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

test("a deletion that fails in our database is an internal error and leaves the link as before", async () => {
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

test("if a deletion fails in our database after DocuSign's part, the next hour creates the configurations again", async () => {
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

test("a deletion that DocuSign does not answer makes no more calls; the next hour creates what may be gone", async () => {
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
  assert.equal(isRemoval(world.docusign.calls.at(-1)!), true, "the removal was the last call");
  await world.runHour();
  assert.deepEqual(connect, { sent: "pending", received: "pending" });
  assert.deepEqual((await linkOf(world)).connect, { sent: "active", received: "active" });
  assert.equal(world.docusign.configurations(account).length, 2);
});

test("a removal that DocuSign does not answer in time fails with its message, and the next reconciliation checks the result", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const before = (await linkOf(world)).connect;
  // As if the process had to end; an unanswered call ends the same way.
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
