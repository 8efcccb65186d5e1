import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { findCurrentLink } from "../../src/store/links/links.ts";
import { ensureConnect } from "../../src/usecases/health/ensure-connect.ts";
import type { ConnectConfiguration as Configuration } from "../support/docusign/connect-configuration.ts";
import type { Call } from "../support/docusign/exchange.ts";
import type { Account } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf, DAY_MS, linesOf } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const BOTH_ACTIVE = { sent: "active", received: "active" };

const isCreation = ({ method, template }: Call): boolean => method === "POST" && template === "/connect";

/** Type and address of the account's configurations. */
function configured(world: World, account: Account): string[] {
  return world.docusign
    .configurations(account)
    .map(({ configurationType, urlToPublishTo }) => `${configurationType} ${urlToPublishTo}`)
    .sort();
}

async function ours(world: World, tenant?: string): Promise<string[]> {
  const url = `${world.url}/connect/${(await linkOf(world, tenant)).id}`;
  return [`custom ${url}`, `customrecipient ${url}`];
}

test("until DocuSign has made its configurations a link shows them as pending, should its process die meanwhile", async () => {
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

/** The next daily check of everything. */
async function runNextDay(world: World): Promise<void> {
  world.clock.pass(DAY_MS);
  await world.runHour();
}

test("a linking makes one configuration for what the account sends and one for what the user receives", async () => {
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

test("an account without Connect is linked all the same, says so, and imports by the hour", async () => {
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

test("an account without Recipient Connect hears of what it sends, and imports what it receives by the hour", async () => {
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

test("whatever code DocuSign refuses Connect with, the link works and says so", async () => {
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
    const told = linesOf(world, "Connect configuration not made").filter(({ fault }) => fault === code);
    assert.deepEqual(
      [...new Set(told.map(({ linkId, type }) => `${linkId} ${type}`))],
      [`${id} custom`, `${id} customrecipient`],
    );
    assert.equal((await endLink(world)).status, 204);
  }
});

test("Connect that cannot be set up at the linking is set up by the next reconciliation", async () => {
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
  test(`a configuration that could not be set up at the linking, of what is ${side} alone, is set up by the next reconciliation`, async () => {
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

test("a configuration that was made but never answered for is found again, not doubled, and mended", async () => {
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

test("linking again in error finds the configurations there", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.revokeConsent(admin);
  await world.runHour();

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(configured(world, account), await ours(world));
});

test("a configuration that someone changed is mended by the daily check", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.changeConfiguration(account, connectId, {
      includeHMAC: "false",
      events: ["envelope-sent"],
    });
  }

  await runNextDay(world);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["heard"]);
  assert.deepEqual(configured(world, account), await ours(world));
});

test("a configuration that someone removed is made anew as soon as an event was missed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "unheard" });
  await world.runHour();
  assert.deepEqual(configured(world, account), await ours(world));
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["heard", "unheard"]);
});

for (const [how, change] of Object.entries({
  "switched off": { allowEnvelopePublish: "false" },
  paused: { pausePublish: "true" },
})) {
  test(`a configuration that someone ${how} stays so, is shown so, and imports go by the hour`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, colleague } = companies;
    for (const { connectId } of world.docusign.configurations(account)) {
      world.docusign.changeConfiguration(account, connectId, change);
    }

    await runNextDay(world);
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "by the hour" });
    await world.runJobs();
    assert.deepEqual(await subjects(world), []);
    await world.runHour();

    assert.deepEqual((await linkOf(world)).connect, { sent: "switched-off", received: "switched-off" });
    assert.deepEqual(await subjects(world), ["by the hour"]);
    assert.equal((await endLink(world)).status, 204);
    assert.deepEqual(configured(world, account), []);
  });
}

test("a copy of a configuration, which the list shows first, is not taken for the one that the link made", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const made of world.docusign.configurations(account)) {
    const { connectId, ...copied } = made;
    world.docusign.removeConfiguration(account, connectId);
    world.docusign.addConfiguration(account, copied);
    world.docusign.addConfiguration(account, { ...made, allowEnvelopePublish: "false" });
  }

  await runNextDay(world);

  assert.deepEqual((await linkOf(world)).connect, { sent: "switched-off", received: "switched-off" });
});

const KNOWN_STATES: Readonly<Record<string, (companies: Companies) => void>> = {
  "switched-off": ({ world, account }) => {
    for (const { connectId } of world.docusign.configurations(account))
      world.docusign.changeConfiguration(account, connectId, { allowEnvelopePublish: "false" });
  },
  "not-available": ({ account }) => {
    account.connect = false;
  },
};

for (const [state, comeAbout] of Object.entries(KNOWN_STATES)) {
  test(`that Connect is ${state} stays known where DocuSign does not answer the next day`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    comeAbout(companies);
    await runNextDay(world);
    world.docusign.failNext(2, { status: 503 }, "/connect");

    await runNextDay(world);

    assert.deepEqual((await linkOf(world)).connect, { sent: state, received: state });
  });
}

const LISTED_OTHERWISE: Readonly<
  Record<string, (there: Configuration) => Readonly<Record<string, unknown>>>
> = {
  "a slash at the end of its address": (there) => ({ ...there, urlToPublishTo: `${there.urlToPublishTo}/` }),
  "the scheme of its address in capitals": (there) => ({
    ...there,
    urlToPublishTo: there.urlToPublishTo.replace("http:", "HTTP:"),
  }),
  "no address": (there) => ({ ...there, urlToPublishTo: undefined }),
  "neither address nor name": (there) => ({ ...there, urlToPublishTo: undefined, name: undefined }),
};

for (const [how, shown] of Object.entries(LISTED_OTHERWISE)) {
  test(`a configuration that DocuSign lists with ${how} is found again each day, and removed in the end`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account } = companies;
    world.docusign.showConfigurations(account, shown);

    const calls = await callsOf(world, async () => {
      for (let day = 1; day <= 3; day += 1) await runNextDay(world);
    });

    assert.ok(!calls.includes("PUT /connect"), calls.join());
    assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
    assert.deepEqual(configured(world, account), await ours(world));
    assert.equal((await endLink(world)).status, 204);
    assert.deepEqual(configured(world, account), []);
  });
}

test("a configuration that someone sent to another address is brought back, not doubled", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.changeConfiguration(account, connectId, { urlToPublishTo: "https://elsewhere.example/" });
  }

  await runNextDay(world);

  assert.deepEqual(configured(world, account), await ours(world));
});

test("a customer's own configuration under the id of one of ours that was removed is not taken for ours", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const own = world.docusign.configurations(account).map(({ connectId, configurationType }) => {
    world.docusign.removeConfiguration(account, connectId);
    const urlToPublishTo = "https://customer.example/hook";
    return world.docusign.addConfiguration(account, {
      connectId,
      configurationType,
      urlToPublishTo,
      name: "own",
    });
  });
  const before = structuredClone(own);
  world.docusign.showConfigurations(account, (there) => ({ ...there, urlToPublishTo: undefined }));

  await runNextDay(world);
  assert.equal(world.docusign.configurations(account).length, 4);
  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(world.docusign.configurations(account), before);
});

test("whether a configuration is switched on is as it was where DocuSign no longer lists it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const [off] = world.docusign.configurations(account).filter((one) => one.configurationType === "custom");
  assert.ok(off !== undefined);
  world.docusign.changeConfiguration(account, off.connectId, { allowEnvelopePublish: "false" });
  await runNextDay(world);
  world.docusign.showConfigurations(account, (there) => ({
    ...there,
    allowEnvelopePublish: undefined,
    events: [],
  }));

  await runNextDay(world);

  assert.deepEqual((await linkOf(world)).connect, { sent: "switched-off", received: "active" });
  assert.deepEqual(
    world.docusign
      .configurations(account)
      .map((one) => [one.configurationType, one.allowEnvelopePublish])
      .sort(),
    [
      ["custom", "false"],
      ["customrecipient", "true"],
    ],
  );
});

test("the customer's own configurations are left alone, by linking, checks and ending", async () => {
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

test("ending a link removes its configurations, and nobody else's", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const second = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  assert.equal(await world.link(second, { tenant: "tenant-2" }), "linked");
  await world.runJobs();

  const calls = await callsOf(world, async () => assert.equal((await endLink(world)).status, 204));

  assert.deepEqual(configured(world, account), await ours(world, "tenant-2"));
  assert.ok(!calls.includes("GET /connect"), "which they are is known");
});

test("while its configurations are removed a link shows them as pending, should its process die meanwhile", async () => {
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
  test(`ending a link removes a configuration for ${side} too that was made but never answered for, and no customer's own`, async () => {
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

test("a fault of our own while the configurations are looked at is thrown, and leaves the link as it is", async () => {
  await using companies = await createLinkedCompanies();
  const { tasks } = companies.world.service.foundation;
  const link = (await findCurrentLink(tasks.db, "tenant-1")) ?? assert.fail("no link");
  await sql`alter table link_token rename to mislaid`.execute(tasks.db);

  await assert.rejects(ensureConnect(tasks, link, tasks.openAccount(link)), { code: "42P01" });

  assert.deepEqual((await findCurrentLink(tasks.db, "tenant-1"))?.connect, link.connect);
});

test("ending a link removes its configurations although they could not be looked at the last time", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  world.docusign.failNext(2, { status: 500 }, "/connect");
  await runNextDay(world);
  assert.deepEqual((await linkOf(world)).connect, { sent: "pending", received: "pending" });

  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(configured(world, account), []);
});

test("a link is ended although someone removed its configurations before", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }

  assert.equal((await endLink(world)).status, 204);
});

test("each link hears only of what its own address is told", async () => {
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
