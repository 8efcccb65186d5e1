import assert from "node:assert/strict";
import { test } from "node:test";
import { BOTH_ACTIVE, configured, ours, runNextDay } from "../support/configured-connect.ts";
import type { ConnectConfiguration as Configuration } from "../support/docusign/connect-configuration.ts";
import {
  type Companies,
  CUSTOMER,
  createLinkedCompanies,
  endLink,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf } from "../support/reconciling.ts";

test("the daily check repairs a configuration that someone changed", async () => {
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

for (const [what, change] of Object.entries({
  "the documents": { eventData: { version: "restv2.1", includeData: ["recipients", "documents"] } },
  "another event": {
    events: ["envelope-completed", "recipient-reassign", "recipient-delegate", "envelope-sent"],
  },
})) {
  test(`the daily check removes ${what} that someone added to a configuration`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account } = companies;
    const shown = () =>
      world.docusign.configurations(account).map(({ eventData, events }) => ({ eventData, events }));
    const before = structuredClone(shown());
    for (const { connectId } of world.docusign.configurations(account))
      world.docusign.changeConfiguration(account, connectId, change);

    await runNextDay(world);

    assert.deepEqual(shown(), before);
  });
}

test("a removed configuration is created again as soon as an event was missed", async () => {
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
  test(`a configuration that someone ${how} stays that way, the link shows it, and imports run hourly`, async () => {
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

test("a copy of a configuration that is listed first is not mistaken for the one that the link created", async () => {
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
  test(`Connect stays known as ${state} if DocuSign does not answer the next day`, async () => {
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
  "a trailing slash in its address": (there) => ({ ...there, urlToPublishTo: `${there.urlToPublishTo}/` }),
  "the scheme of its address in capitals": (there) => ({
    ...there,
    urlToPublishTo: there.urlToPublishTo.replace("http:", "HTTP:"),
  }),
  "no address": (there) => ({ ...there, urlToPublishTo: undefined }),
  "neither address nor name": (there) => ({ ...there, urlToPublishTo: undefined, name: undefined }),
};

for (const [how, shown] of Object.entries(LISTED_OTHERWISE)) {
  test(`a configuration that DocuSign lists with ${how} is recognized each day and removed at the end`, async () => {
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

test("a configuration that someone pointed at another address is restored, not duplicated", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.changeConfiguration(account, connectId, { urlToPublishTo: "https://elsewhere.example/" });
  }

  await runNextDay(world);

  assert.deepEqual(configured(world, account), await ours(world));
});

test("a customer's own configuration that reuses the id of a removed one of ours is not mistaken for ours", async () => {
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

test("a configuration stays shown as switched off if DocuSign stops returning that setting", async () => {
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
