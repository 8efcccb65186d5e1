import assert from "node:assert/strict";
import { test } from "node:test";
import type { Envelope, User } from "../support/docusign/state.ts";
import { type Companies, createLinkedCompanies, fateOf } from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

/** Adds a user of the partner's company, who has no relation to the linked account. */
function outsider({ world, partner }: Companies, name: string): User {
  const account = world.docusign.state.accounts.get(partner.defaultAccountId);
  return world.docusign.addUser(account!, { name, role: "DS Sender" });
}

/** Sends an envelope from the partner to one person, who passes it on; then completes it. */
async function forwarded(
  { world, partner }: Companies,
  from: User,
  pass: (envelope: Envelope) => Promise<Envelope>,
): Promise<Envelope> {
  const envelope = await world.docusign.sendEnvelope({ from: partner, to: [from] });
  await pass(envelope);
  return await world.docusign.completeEnvelope(envelope);
}

type Forward = (world: World, envelope: Envelope, from: User, to: User) => Promise<Envelope>;

const reassign: Forward = ({ docusign }, ...places) => docusign.reassign(...places);

function delegate(spelling: "lower" | "capitalised"): Forward {
  return ({ docusign }, ...places) => docusign.delegate(...places, spelling);
}

const forwardings: { name: string; forward: Forward; known: "from events" | "from listings" }[] = [
  { name: "a reassignment", forward: reassign, known: "from events" },
  { name: "a delegation in lower letters", forward: delegate("lower"), known: "from events" },
  { name: "a delegation in lower letters", forward: delegate("lower"), known: "from listings" },
  { name: "a delegation in capitalised letters", forward: delegate("capitalised"), known: "from events" },
  { name: "a delegation in capitalised letters", forward: delegate("capitalised"), known: "from listings" },
];

for (const { name, forward, known } of forwardings) {
  test(`with ${name}, known ${known}, the giver has received the envelope and the taker has not`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, admin } = companies;
    const other = outsider(companies, "渡辺");
    if (known === "from listings") world.docusign.holdDeliveries();

    const away = await forwarded(companies, admin, (one) => forward(world, one, admin, other));
    const hither = await forwarded(companies, other, (one) => forward(world, one, other, admin));
    await (known === "from events" ? world.runJobs() : world.runHour());

    assert.equal(await fateOf(world, away), "imported received");
    assert.equal(await fateOf(world, hither), "excluded forwarded-to-user");
  });
}

test("a reassignment without an event leaves recipients counted as listed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const other = outsider(companies, "渡辺");
  world.docusign.holdDeliveries();

  const hither = await forwarded(companies, other, (one) => world.docusign.reassign(one, other, admin));
  const away = await forwarded(companies, admin, (one) => world.docusign.reassign(one, admin, other));
  await world.runHour();

  assert.equal(await fateOf(world, hither), "imported received");
  assert.equal(await fateOf(world, away), "imported received");
});

test("a reassignment takes effect whichever arrives first, its event or the completion's", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const other = outsider(companies, "渡辺");
  world.docusign.holdDeliveries();

  const hither = await forwarded(companies, other, (one) => world.docusign.reassign(one, other, admin));
  world.docusign.held.reverse();
  await world.docusign.deliver("all");
  await world.runJobs();

  assert.equal(await fateOf(world, hither), "excluded forwarded-to-user");
});

test("a reassignment event that arrives after the hourly listing takes effect if nothing was imported yet", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const other = outsider(companies, "渡辺");
  world.docusign.holdDeliveries();
  world.docusign.failNext(1, { status: 500 }, "/envelopes/{envelopeId}/documents/{documentId}");

  const hither = await forwarded(companies, other, (one) => world.docusign.reassign(one, other, admin));
  await world.runHour();
  await world.docusign.deliver("all");
  await world.runJobs();

  assert.equal(await fateOf(world, hither), "excluded forwarded-to-user");
  assert.deepEqual(await world.contracts(), []);
});

test("a reassignment event that arrives after the import changes nothing", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const other = outsider(companies, "渡辺");
  world.docusign.holdDeliveries();

  const hither = await forwarded(companies, other, (one) => world.docusign.reassign(one, other, admin));
  await world.runHour();
  await world.docusign.deliver("all");
  await world.runHour();

  assert.equal(await fateOf(world, hither), "imported received");
  assert.equal((await world.contracts()).length, 1);
});

test("an envelope that the account sent is imported however it was forwarded", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  const other = outsider(companies, "渡辺");

  const envelope = await world.docusign.sendEnvelope({ from: colleague, to: [other] });
  await world.docusign.reassign(envelope, other, admin);
  await world.docusign.completeEnvelope(envelope);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("a user who got an envelope by forwarding and passed it on has not received it, carbon copy or not", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const [first, last] = [outsider(companies, "渡辺"), outsider(companies, "中村")];

  const envelope = await forwarded(companies, first, async (one) => {
    await world.docusign.reassign(one, first, admin);
    return await world.docusign.reassign(one, admin, last);
  });
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "excluded forwarded-to-user");
});
