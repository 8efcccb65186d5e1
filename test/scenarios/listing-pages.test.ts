import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvelopeWish } from "../support/docusign/envelopes.ts";
import type { Envelope } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  linkOf,
} from "../support/linked-world.ts";
import {
  assertEntryAddsUp,
  concludeQuietly,
  DAY_MS,
  entryOfNextHour,
  ledgerOf,
  linesOf,
} from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

// Listings of many pages that may overlap: nothing is missed, and nothing counts twice.

/** Rows per DocuSign page in these tests; the service asks for a thousand. */
const PAGE = 10;
const START = new Date("2031-01-15T03:20:00Z");

/** Returns a company with small listing pages, just before the full hour. */
async function createListedCompanies(): Promise<Companies> {
  const companies = await createLinkedCompanies();
  companies.world.docusign.setListingHabits({ rowsAtMost: PAGE });
  companies.world.clock.now = new Date("2031-01-15T03:58:00Z");
  return companies;
}

/** Concludes envelopes without a document to import, each completed this number of milliseconds after START. */
function concludePurged(
  { world, colleague }: Companies,
  count: number,
  afterMs: (number: number) => number,
): Envelope[] {
  return concludeQuietly(world, count, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(START.getTime() + afterMs(number)),
    purged: true,
  }));
}

/** Acts just before the page of this number, counted from 1, is answered. */
function onPage(world: World, number: number, act: () => void): void {
  world.docusign.onNext("/envelopes", () => (number === 1 ? act() : onPage(world, number - 1, act)));
}

async function missingOf(world: World, envelopes: readonly Envelope[]): Promise<string[]> {
  const ledger = await ledgerOf(world);
  return envelopes.map(({ envelopeId }) => envelopeId).filter((id) => !ledger.has(id));
}

test("envelopes that appear within a second of many pages make pages overlap, but each envelope counts once", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 4 * PAGE, (number) => 500 + number);
  onPage(world, 3, () => envelopes.push(...concludePurged(companies, 15, (number) => number)));

  const { listed } = await entryOfNextHour(world);
  const later = await entryOfNextHour(world);

  // The third page starts half a page after the second; what appeared before that is left to the next hour.
  const ofOthers = await missingOf(world, envelopes.slice(0, 4 * PAGE));
  assert.deepEqual([listed, ofOthers], [4 * PAGE + 15 - PAGE / 2, []]);
  assert.deepEqual([later.listed, await missingOf(world, envelopes)], [envelopes.length, []]);
});

test("after a second of many pages the listing continues by time, so that removed envelopes hide no others", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 60, (number) => Math.max(0, number - 14) * 1_000);
  const vanishing = envelopes.slice(0, PAGE);
  onPage(world, 5, () => {
    for (const envelope of vanishing) envelope.status = "deleted";
  });

  await entryOfNextHour(world);

  assert.deepEqual(await missingOf(world, envelopes.slice(PAGE)), []);
});

test("a row without a completion time that every page shows counts once", async () => {
  await using companies = await createListedCompanies();
  const { world, colleague } = companies;
  concludePurged(companies, 25, (number) => number * 1_000);
  const silent = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  silent.completedAt = null;
  world.docusign.extraneousAtPageEnds(silent);

  const entry = await entryOfNextHour(world);

  assert.deepEqual([entry.listed, entry.missed], [26, 1]);
  assertEntryAddsUp(entry);
});

test("a page may begin with a row without a completion time", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 25, () => 0);
  // Half a page is listed again, and the second page begins with it.
  world.docusign.showInListing(envelopes[PAGE / 2]!, ({ completedDateTime: _moment, ...row }) => [row]);

  const entry = await entryOfNextHour(world);

  assert.equal(entry.listed, 25);
  assert.deepEqual(await missingOf(world, envelopes), []);
});

test("pages of rows that do not match the query do not end a listing", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 2 * PAGE + 5, (number) => number * 1_000);
  for (const envelope of envelopes.slice(0, 2 * PAGE))
    world.docusign.showInListing(envelope, (row) => [{ ...row, status: "sent" }]);

  const entry = await entryOfNextHour(world);

  assert.equal(entry.listed, 5);
  assert.deepEqual(await missingOf(world, envelopes.slice(2 * PAGE)), []);
});

test("an envelope from the account to its user that only the received side lists counts there", async () => {
  await using companies = await createListedCompanies();
  const { world, admin, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [admin] });
  world.docusign.lateInListing(envelope, new Date(world.clock.now.getTime() + DAY_MS));
  onPage(world, 2, () => world.docusign.lateInListing(envelope, new Date(world.clock.now)));

  const entry = await entryOfNextHour(world);

  assert.deepEqual([entry.listed, entry.missed], [1, 1]);
});

/** Runs an hour with two envelopes sent by the account and one received by its user, all without events. */
async function passHourUnheard({ world, admin, colleague, partner }: Companies): Promise<any[]> {
  const wishes: EnvelopeWish[] = [
    { from: colleague, to: [CUSTOMER] },
    { from: colleague, to: [CUSTOMER] },
    { from: partner, to: [admin] },
  ];
  for (const wish of wishes) await concludeUnheard(world, wish);
  assert.equal((await entryOfNextHour(world)).missed, 3);
  return linesOf(world, "Connect did not report envelopes").map(({ envelopes }) => envelopes);
}

test("received envelopes do not count as missed by Connect if Connect reports only sent ones", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  account.recipientConnect = false;
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(await passHourUnheard(companies), [2]);
});

test("sent envelopes do not count as missed by Connect if Connect reports only received ones", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const refused = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };
  world.docusign.failNext(1, refused, ({ method, template }) => method === "POST" && template === "/connect");
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  assert.deepEqual((await linkOf(world)).connect, { sent: "not-available", received: "active" });

  assert.deepEqual(await passHourUnheard(companies), [1]);
});

test("envelopes that completed before linking do not count as missed by Connect", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.clock.pass(DAY_MS);

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(linesOf(world, "Connect did not report envelopes"), []);
});
