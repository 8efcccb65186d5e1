import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "../cli/commands.ts";
import { putGroup } from "../support/link-changes.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf, HOUR_MS } from "../support/reconciling.ts";
import { type Answer, createApi, SERVICE, type World } from "../support/world.ts";

async function change(world: World, action: "pause" | "resume"): Promise<Answer> {
  return await (await world.api()).send("POST", `/v1/link/${action}`);
}

async function pause(world: World): Promise<void> {
  const { status, body } = await change(world, "pause");
  assert.deepEqual([status, body.state], [200, "paused"]);
}

test("a paused link lists and imports nothing, and after resuming accounts for the gap", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  await pause(world);

  const heard = await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject: "heard" });
  await concludeUnheard(world, { from: admin, to: [CUSTOMER], subject: "unheard" });
  const calls = await callsOf(world, async () => {
    await world.runJobs();
    await world.runHour();
  });
  const command = await runCommand(world, "reconcile");
  const paused = await linkOf(world);
  const { outcome, reason, waitingFor, text, events } = await explain(world, heard);
  const resumed = await change(world, "resume");
  await world.runJobs();

  assert.deepEqual(calls, []);
  assert.equal(command.exit, 75);
  assert.match(command.out, /the link is paused/);
  assert.deepEqual([paused.state, paused.nextReconciliation, paused.notice], ["paused", null, null]);
  assert.deepEqual([outcome, reason, waitingFor], ["waiting", "paused", { reason: "paused", until: null }]);
  assert.match(text, /一時停止/);
  assert.equal(events.length, 1);
  assert.deepEqual([resumed.status, resumed.body.state], [200, "active"]);
  assert.deepEqual(await subjects(world), ["heard", "unheard"]);
  const audit = (await historyOf(world))[0].audit.map(({ action }: any) => action);
  assert.deepEqual(audit, ["linked", "paused", "resumed"]);
});

test("only an active link can be paused, and only a paused one resumed", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin } = companies;
  const missing = [await change(world, "pause"), await change(world, "resume")];
  await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  const awaiting = await change(world, "pause");
  await (await world.api()).send("POST", "/v1/link/approve");
  await world.runJobs();

  const early = await change(world, "resume");
  await pause(world);
  const again = await change(world, "pause");
  const beside = await (await world.api()).send("POST", "/v1/link", { groupId: "group-1" });

  assert.deepEqual(
    missing.map(({ status }) => status),
    [404, 404],
  );
  assert.deepEqual([awaiting.status, awaiting.body.type], [409, "urn:torikomi:problem:not-active"]);
  assert.deepEqual([early.status, early.body.type], [409, "urn:torikomi:problem:not-paused"]);
  assert.deepEqual([again.status, beside.status], [409, 409]);
});

test("an import that a pause overtakes commits nothing, and ends without a second download", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const document = "/envelopes/{envelopeId}/documents/{documentId}";
  world.docusign.onNext(document, async () => await pause(world));
  await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject: "under way" });

  await world.runJobs();
  const during = await subjects(world);
  await change(world, "resume");
  await world.runJobs();

  assert.deepEqual(during, []);
  assert.deepEqual(await subjects(world), ["under way"]);
  assert.equal(world.docusign.callsTo(document).length, 1);
});

test("the admin right is checked once a day during a pause, and the link is paused again after its repair", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, account } = companies;
  await pause(world);
  const calls = await callsOf(world, async () => {
    for (let hour = 0; hour < 25; hour += 1) await world.runHour();
  });
  world.docusign.setRole(admin, account, "DS Sender");
  for (let hour = 0; hour < 24; hour += 1) await world.runHour();
  const broken = await linkOf(world);

  world.docusign.setRole(admin, account, "DS Admin");
  await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  await world.runHour();

  assert.equal(calls.filter((call) => call === "GET /users/{userId}").length, 1);
  assert.deepEqual([broken.state, broken.cause.code], ["error", "not-admin"]);
  assert.equal((await linkOf(world)).state, "paused");
  assert.deepEqual(await subjects(world), []);
});

test("a paused link can be edited, also when its group was deleted, and stays paused", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  await pause(world);
  const api = await world.api();
  await putGroup(world, "group-2");

  await api.send("DELETE", "/v1/groups/group-1");
  const broken = await linkOf(world);
  const envelope = await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  const calls = await callsOf(world, async () => await world.runHour());
  const edited = await api.send("PATCH", "/v1/link", { groupId: "group-2" });

  assert.equal(broken.cause.code, "group-missing");
  assert.deepEqual(calls, []);
  assert.deepEqual([edited.body.state, edited.body.groupId], ["paused", "group-2"]);
  assert.equal(await fateOf(world, envelope), "waiting paused");
});

test("a link that is deleted during a pause ends where it had accounted for everything", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const pausedAt = world.clock.now.toISOString();
  await pause(world);
  world.clock.pass(3 * 24 * HOUR_MS);
  const completedAt = new Date(world.clock.now.getTime() - 24 * HOUR_MS);
  await concludeUnheard(world, { from: admin, to: [CUSTOMER], subject: "during the pause", completedAt });

  const { status } = await endLink(world);
  await world.link(admin);
  await world.runJobs();

  assert.equal(status, 204);
  const { sentFrom } = await linkOf(world);
  assert.ok(sentFrom <= pausedAt, `sentFrom is ${sentFrom}`);
  assert.deepEqual(await subjects(world), ["during the pause"]);
});

test("the feed and the list of tenants show a pause", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await pause(world);
  await change(world, "resume");
  await pause(world);

  const { body } = await (await world.api()).get("/v1/changes?types=link");
  const token = await world.cabinet.token({ tenant: "*", sub: SERVICE, scope: "links:read" });
  const tenants = await createApi(world.url, token).get("/v1/tenants");

  assert.deepEqual(
    body.items.map(({ link }: any) => link.state),
    ["active", "paused", "active", "paused"],
  );
  assert.deepEqual(tenants.body.items, [{ tenant: "tenant-1", state: "paused" }]);
});
