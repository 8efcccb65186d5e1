import assert from "node:assert/strict";
import { test } from "node:test";
import { minimalEvent, post } from "../support/connect.ts";
import type { Envelope } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

/** Sends one envelope from each account user to a customer and one from a partner to each user (import-rules 1). */
async function concludeTable(
  { world, account, admin, colleague, partner }: Companies,
  conclude: World["docusign"]["concludeEnvelope"],
): Promise<void> {
  const { docusign } = world;
  const users = {
    "DS Admin, linked": admin,
    "DS Admin, not linked": docusign.addUser(account, { name: "田中", role: "DS Admin" }),
    "DS Sender": colleague,
    "DS Viewer": docusign.addUser(account, { name: "高橋", role: "DS Viewer" }),
    custom: docusign.addUser(account, { name: "伊藤", role: "custom" }),
  };
  for (const [role, user] of Object.entries(users)) {
    if (role !== "DS Viewer") await conclude({ from: user, to: [CUSTOMER], subject: `sent by ${role}` });
    await conclude({ from: partner, to: [user], subject: `received by ${role}` });
  }
}

const TABLE = [
  "received by DS Admin, linked",
  "sent by DS Admin, linked",
  "sent by DS Admin, not linked",
  "sent by DS Sender",
  "sent by custom",
];

test("events import what any account user sent and what the linked user received, nothing else", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;

  await concludeTable(companies, world.docusign.concludeEnvelope);
  await world.runJobs();

  assert.deepEqual(await subjects(world), TABLE);
});

test("without events, the next hour imports the same", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;

  await concludeTable(companies, async (wish) => await concludeUnheard(world, wish));
  await world.runJobs();
  assert.deepEqual(await subjects(world), []);
  await world.runHour();

  assert.deepEqual(await subjects(world), TABLE);
});

test("the first import includes what was concluded before linking", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;

  await concludeTable(companies, world.docusign.concludeEnvelope);
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(await subjects(world), TABLE);
});

test("an envelope counts as sent by the account that it was sent from, not by all accounts of its sender", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const other = world.docusign.addAccount({ name: "別会社" });
  world.docusign.addMembership(other, colleague, { role: "DS Sender" });

  await world.docusign.concludeEnvelope({
    from: colleague,
    account: other,
    to: [CUSTOMER],
    subject: "別会社から",
  });
  await world.docusign.concludeEnvelope({ from: colleague, account, to: [CUSTOMER], subject: "甲から" });
  await world.runHour();

  assert.deepEqual(await subjects(world), ["甲から"]);
});

test("an envelope from a colleague to the linked user is shown as both sent and received", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [admin] });
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent-and-received");
});

test("the linked user has received an envelope in any recipient group, even one unknown to the service", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;
  const groups = [
    "signers",
    "inPersonSigners",
    "agents",
    "editors",
    "intermediaries",
    "certifiedDeliveries",
    "carbonCopies",
    "witnesses",
    "notaries",
    "reviewersOfTomorrow",
  ];

  for (const group of groups) {
    const to = [CUSTOMER, { user: admin, group }];
    await world.docusign.concludeEnvelope({ from: partner, to, subject: group });
  }
  await world.runJobs();

  assert.deepEqual(await subjects(world), groups.toSorted());
});

test("a recipient without a user id is recognized by the e-mail address, whatever its case", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;

  await world.docusign.concludeEnvelope({
    from: partner,
    to: [{ name: "山田", email: admin.email.toUpperCase() }],
    subject: "大文字",
  });
  await world.runHour();

  assert.deepEqual(await subjects(world), ["大文字"]);
});

test("a recipient without a user id is recognized by the linked user's current e-mail address", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;
  world.docusign.changeAddress(admin, "kaimei@example.com");
  await world.runHour();

  await concludeUnheard(world, {
    from: partner,
    to: [{ name: "山田", email: "kaimei@example.com" }],
    subject: "改名後",
  });
  await world.runHour();

  assert.deepEqual(await subjects(world), ["改名後"]);
  assert.equal((await linkOf(world)).user.email, "kaimei@example.com");
});

test("an envelope excluded under the user's former address is imported in the hour after the new address is known", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;
  world.docusign.changeAddress(admin, "kaimei@example.com");
  const envelope = await concludeUnheard(world, {
    from: partner,
    to: [{ name: "山田", email: "kaimei@example.com" }],
  });

  await world.runHour();
  const before = await fateOf(world, envelope);
  await world.runHour();

  assert.deepEqual([before, await fateOf(world, envelope)], ["excluded not-ours", "imported received"]);
});

test("a response without the linked user's name and address removes neither", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { user } = await linkOf(world);
  const rights = { canManageAccount: "true", apiAccountWideAccess: "true" };
  const body = { isAdmin: "True", permissionProfileName: "DS Admin", userSettings: rights };
  world.docusign.failNext(1, { status: 200, body }, "/users/{userId}");

  await world.runHour();

  const { state, user: after } = await linkOf(world);
  assert.deepEqual([state, after], ["active", user]);
});

test("another user with the linked user's e-mail address is not the linked user", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  // After someone else had linked the account, only what the new user received is open for import.
  assert.equal((await (await world.api()).send("DELETE", "/v1/link")).status, 204);
  const [next, namesake] = ["linked next", "namesake"].map((name) =>
    world.docusign.addUser(account, { name, role: "DS Admin", email: "shared@example.com" }),
  );
  const completedAt = new Date("2031-01-10T00:00:00Z");
  const envelopes: Envelope[] = [];
  for (const to of [next!, namesake!, { name: "address only", email: "Shared@example.com" }]) {
    const { name } = to;
    envelopes.push(
      await world.docusign.concludeEnvelope({ from: colleague, to: [to], subject: name, completedAt }),
    );
  }

  assert.equal(await world.link(next!), "linked");
  await world.runJobs();

  const fates: string[] = [];
  for (const envelope of envelopes) fates.push(await fateOf(world, envelope));
  assert.deepEqual(fates, ["imported received", "excluded before-window", "imported received"]);
  assert.notEqual(admin.email, "shared@example.com");
});

test("envelopes that ended without completion, or have not ended, are never imported, whatever an event claims", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { docusign } = world;
  const { id } = await linkOf(world);
  const send = async () => await docusign.sendEnvelope({ from: colleague, to: [CUSTOMER] });
  const unfinished = [
    await docusign.voidEnvelope(await send()),
    await docusign.declineEnvelope(await send()),
    await docusign.deleteEnvelope(await send()),
    await send(),
  ];
  // It is unknown if DocuSign returns a completion time for envelopes that did not complete.
  for (const envelope of unfinished) envelope.completedAt = world.clock.now;

  for (const envelope of unfinished) {
    docusign.extraneousInListing(envelope);
    assert.equal((await post(world, id, minimalEvent({}, { envelopeId: envelope.envelopeId }))).status, 200);
  }
  await world.runHour();
  await world.runHour();

  const fates: string[] = [];
  for (const envelope of unfinished) fates.push(await fateOf(world, envelope));
  assert.deepEqual(
    fates,
    unfinished.map(() => "excluded not-completed"),
  );
  assert.deepEqual(await world.contracts(), []);
  assert.equal((await linkOf(world)).totals.atDocuSign, 0);
});

test("an envelope announced too early is imported once it is completed, with or without an event", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { id } = await linkOf(world);
  const early = async (subject: string): Promise<Envelope> => {
    const envelope = await world.docusign.sendEnvelope({ from: colleague, to: [CUSTOMER], subject });
    await post(world, id, minimalEvent({}, { envelopeId: envelope.envelopeId }));
    return envelope;
  };
  const [heard, unheard] = [await early("heard"), await early("unheard")];
  await world.runJobs();

  await world.docusign.completeEnvelope(heard);
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["heard"]);
  world.docusign.holdDeliveries();
  await world.docusign.completeEnvelope(unheard);
  await world.runHour();

  assert.deepEqual(await subjects(world), ["heard", "unheard"]);
});

test("an envelope announced too early waits like any other if its later import meets a fault", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { id } = await linkOf(world);
  const envelope = await world.docusign.sendEnvelope({ from: colleague, to: [CUSTOMER] });
  await post(world, id, minimalEvent({}, { envelopeId: envelope.envelopeId }));
  await world.runJobs();
  world.docusign.truncateNextDownload();

  await world.docusign.completeEnvelope(envelope);
  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "waiting docusign-unavailable");
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("an event for an envelope that does not exist or belongs to strangers imports nothing", async () => {
  await using companies = await createLinkedCompanies();
  const { world, partner, colleague } = companies;
  const { id } = await linkOf(world);
  const strangers = await concludeUnheard(world, { from: partner, to: [CUSTOMER] });
  const colleagues = await concludeUnheard(world, { from: partner, to: [colleague] });
  const nobodys = { envelopeId: "00000000-1111-2222-3333-444444444444" };

  for (const { envelopeId } of [strangers, colleagues, nobodys]) {
    await post(world, id, minimalEvent({}, { envelopeId }));
  }
  await world.runJobs();
  for (let hour = 0; hour < 4; hour += 1) await world.runHour();

  assert.deepEqual(await world.contracts(), []);
  assert.equal(await fateOf(world, strangers), "unknown not-found");
  assert.equal((await linkOf(world)).totals.atDocuSign, 0);
});
