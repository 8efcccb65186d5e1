import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { findCurrentLink } from "../../src/store/links/links.ts";
import { ensureConnect } from "../../src/usecases/health/ensure-connect.ts";
import { BOTH_ACTIVE, configured, ours, runNextDay } from "../support/configured-connect.ts";
import type { Call } from "../support/docusign/exchange.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf, linesOf } from "../support/reconciling.ts";

const isCreation = ({ method, template }: Call): boolean => method === "POST" && template === "/connect";

test("a link shows its configurations as pending until DocuSign has created them, even if the process dies meanwhile", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  let meanwhile: unknown = null;
  world.docusign.onNext("/connect", async () => {
    meanwhile = (await linkOf(world)).connect;
  });

  await world.link(admin);

  assert.deepEqual(meanwhile, { sent: "pending", received: "pending" });
  assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
});

test("linking creates one configuration for what the account sends and one for what the user receives", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  const { id, connect } = await linkOf(world);

  const made = world.docusign
    .configurations(account)
    .toSorted((one, other) => one.configurationType.localeCompare(other.configurationType));

  const common = {
    urlToPublishTo: `${world.url}/connect/${id}`,
    integratorManaged: "true",
    includeHMAC: "true",
    requiresAcknowledgement: "true",
    allowEnvelopePublish: "true",
    enableLog: "true",
    deliveryMode: "SIM",
    eventData: { version: "restv2.1", format: "json", includeData: ["recipients"] },
    events: ["envelope-completed", "recipient-reassign", "recipient-delegate"],
  };
  assert.deepEqual(
    made.map(({ connectId: _connectId, ...settings }) => settings),
    [
      { ...common, configurationType: "custom", name: "torikomi sent", allUsers: "true" },
      {
        ...common,
        configurationType: "customrecipient",
        name: "torikomi received",
        allUsers: "false",
        userIds: [admin.userId],
      },
    ],
  );
  assert.deepEqual(connect, BOTH_ACTIVE);
});

test("an account without Connect can be linked, its link shows that, and imports run hourly", async () => {
  await using companies = await createCompanies();
  const { world, account, admin, colleague } = companies;
  account.connect = false;

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "by the hour" });
  await world.runHour();

  assert.deepEqual((await linkOf(world)).connect, { sent: "not-available", received: "not-available" });
  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["by the hour"]);
  assert.equal((await endLink(world)).status, 204);
});

test("an account without Recipient Connect gets events for what it sends and imports what it receives hourly", async () => {
  await using companies = await createCompanies();
  const { world, account, admin, colleague, partner } = companies;
  account.recipientConnect = false;

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "sent" });
  await world.docusign.concludeEnvelope({ from: partner, to: [admin], subject: "received" });
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["sent"]);
  await world.runHour();

  assert.deepEqual((await linkOf(world)).connect, { sent: "active", received: "not-available" });
  assert.deepEqual(await subjects(world), ["received", "sent"]);
});

test("the link works and reports Connect's state, whatever code DocuSign rejects Connect with", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;

  for (const code of ["PLAN_ITEM_NOT_ENABLED", "USER_LACKS_PERMISSIONS", "SOMETHING_NEW"]) {
    world.docusign.refuseConnect(account, code);
    assert.equal(await world.link(admin), "linked");
    await world.runJobs();
    const { id, state, connect } = await linkOf(world);
    assert.deepEqual(
      [state, connect],
      ["active", { sent: "not-available", received: "not-available" }],
      code,
    );
    const told = linesOf(world, "Connect configuration not created").filter(({ fault }) => fault === code);
    assert.deepEqual(
      [...new Set(told.map(({ linkId, type }) => `${linkId} ${type}`))],
      [`${id} custom`, `${id} customrecipient`],
    );
    assert.equal((await endLink(world)).status, 204);
  }
});

test("the next reconciliation sets up Connect if linking could not", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  world.docusign.failNext(2, { status: 500 }, "/connect");

  assert.equal(await world.link(admin), "linked");
  assert.deepEqual((await linkOf(world)).connect, { sent: "pending", received: "pending" });
  await world.runJobs();

  assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
  assert.deepEqual(configured(world, account), await ours(world));
});

for (const side of ["sent", "received"] as const) {
  test(`the next reconciliation sets up a configuration for ${side} alone that linking could not set up`, async () => {
    await using companies = await createCompanies();
    const { world, account, admin } = companies;
    const failNext = (): void => world.docusign.failNext(1, { status: 500 }, isCreation);
    if (side === "sent") failNext();
    else world.docusign.onNext(isCreation, failNext);

    await world.link(admin);
    assert.deepEqual((await linkOf(world)).connect, { ...BOTH_ACTIVE, [side]: "pending" });
    await world.runJobs();

    assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
    assert.deepEqual(configured(world, account), await ours(world));
  });
}

test("a configuration whose creation was never answered is found and repaired, not duplicated", async () => {
  await using companies = await createCompanies();
  const { world, account, admin, colleague } = companies;
  world.docusign.onNext(isCreation, async () => {
    const { id } = await linkOf(world);
    world.docusign.addConfiguration(account, { urlToPublishTo: `${world.url}/connect/${id}`, events: [] });
  });
  world.docusign.failNext(1, { status: 504, html: "<h1>504</h1>" }, isCreation);

  assert.equal(await world.link(admin), "linked");
  assert.equal((await linkOf(world)).connect.sent, "pending");
  await world.runJobs();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();

  assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
  assert.deepEqual(configured(world, account), await ours(world));
  assert.deepEqual(await subjects(world), ["heard"]);
});

test("linking again in error finds the existing configurations", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.revokeConsent(admin);
  await world.runHour();

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(configured(world, account), await ours(world));
});

test("linking, checks and ending leave the customer's own configurations alone", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  const own = [
    world.docusign.addConfiguration(account, { urlToPublishTo: "https://customer.example/hook" }),
    world.docusign.addConfiguration(account, {
      urlToPublishTo: "https://customer.example/old",
      configurationType: "customrecipient",
      allowEnvelopePublish: "false",
    }),
  ];
  const before = structuredClone(own);

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  await runNextDay(world);
  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(world.docusign.configurations(account), before);
});

test("ending a link removes its own configurations only", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const second = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  assert.equal(await world.link(second, { tenant: "tenant-2" }), "linked");
  await world.runJobs();

  const calls = await callsOf(world, async () => assert.equal((await endLink(world)).status, 204));

  assert.deepEqual(configured(world, account), await ours(world, "tenant-2"));
  assert.ok(!calls.includes("GET /connect"), "which they are is known");
});

test("a link shows its configurations as pending while they are removed, even if the process dies meanwhile", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const seen: object[] = [];
  world.docusign.onNext(
    ({ method, template }) => method === "DELETE" && template.startsWith("/connect"),
    async () => void seen.push((await linkOf(world)).connect),
  );

  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(seen, [{ sent: "pending", received: "pending" }]);
});

for (const [side, configurationType, before] of [
  ["what the account sends", "custom", 1],
  ["what the user receives", "customrecipient", 2],
] as const) {
  test(`ending a link removes a configuration for ${side} whose creation was never answered, but no customer's own`, async () => {
    await using companies = await createCompanies();
    const { world, account, admin } = companies;
    const own = world.docusign.addConfiguration(account, { urlToPublishTo: "https://customer.example/hook" });
    const configurations = () => world.docusign.configurations(account);
    const isUnanswered = (call: Call): boolean => isCreation(call) && configurations().length === before;
    world.docusign.onNext(isUnanswered, async () => {
      const { id } = await linkOf(world);
      const urlToPublishTo = `${world.url}/connect/${id}`;
      world.docusign.addConfiguration(account, { urlToPublishTo, configurationType });
    });
    world.docusign.failNext(1, { status: 504, html: "<h1>504</h1>" }, isUnanswered);
    assert.equal(await world.link(admin), "linked");
    const { connect } = await linkOf(world);
    assert.deepEqual(Object.values(connect).sort(), ["active", "pending"]);
    assert.equal(configurations().length, 3);

    assert.equal((await endLink(world)).status, 204);

    assert.deepEqual(configurations(), [own]);
  });
}

test("an internal error while checking the configurations is thrown and leaves the link unchanged", async () => {
  await using companies = await createLinkedCompanies();
  const { tasks } = companies.world.service.foundation;
  const link = (await findCurrentLink(tasks.db, "tenant-1")) ?? assert.fail("no link");
  await sql`alter table link_token rename to mislaid`.execute(tasks.db);

  await assert.rejects(ensureConnect(tasks, link, tasks.openAccount(link)), { code: "42P01" });

  assert.deepEqual((await findCurrentLink(tasks.db, "tenant-1"))?.connect, link.connect);
});

test("ending a link removes its configurations even if the last check of them failed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  world.docusign.failNext(2, { status: 500 }, "/connect");
  await runNextDay(world);
  assert.deepEqual((await linkOf(world)).connect, { sent: "pending", received: "pending" });

  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(configured(world, account), []);
});

test("a link can be ended if someone already removed its configurations", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }

  assert.equal((await endLink(world)).status, 204);
});

test("each link receives only the events sent to its own address", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, partner } = companies;
  const second = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  assert.equal(await world.link(second, { tenant: "tenant-2" }), "linked");
  await world.runJobs();

  await world.docusign.concludeEnvelope({ from: partner, to: [second], subject: "to the second" });
  await concludeUnheard(world, { from: partner, to: [companies.admin], subject: "to the first" });
  await world.runJobs();

  assert.deepEqual([await subjects(world), await subjects(world, "tenant-2")], [[], ["to the second"]]);
});
