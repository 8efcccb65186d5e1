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

// A listing of many pages, each of which may show what another has shown: nothing is missed, and nothing counts twice.

/** So many rows DocuSign lists at once in these tests, of the thousand that it is asked for. */
const PAGE = 10;
const START = new Date("2031-01-15T03:20:00Z");

/** A company whose listings come in small pages, just before the hour. */
async function createListedCompanies(): Promise<Companies> {
  const companies = await createLinkedCompanies();
  companies.world.docusign.setListingHabits({ rowsAtMost: PAGE });
  companies.world.clock.now = new Date("2031-01-15T03:58:00Z");
  return companies;
}

/** Envelopes of which no document is left to import, completed so many milliseconds after the start. */
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

/** Acts just before the page of this number, from 1, is answered. */
function onPage(world: World, number: number, act: () => void): void {
  world.docusign.onNext("/envelopes", () => (number === 1 ? act() : onPage(world, number - 1, act)));
}

async function missingOf(world: World, envelopes: readonly Envelope[]): Promise<string[]> {
  const ledger = await ledgerOf(world);
  return envelopes.map(({ envelopeId }) => envelopeId).filter((id) => !ledger.has(id));
}

test("envelopes that appear inside a second of many pages shift others back into sight, which count once", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 4 * PAGE, (number) => 500 + number);
  onPage(world, 3, () => envelopes.push(...concludePurged(companies, 15, (number) => number)));

  const { listed } = await entryOfNextHour(world);
  const later = await entryOfNextHour(world);

  // The third page goes on half a page after the second's beginning: what appeared before that is the next hour's.
  const ofOthers = await missingOf(world, envelopes.slice(0, 4 * PAGE));
  assert.deepEqual([listed, ofOthers], [4 * PAGE + 15 - PAGE / 2, []]);
  assert.deepEqual([later.listed, await missingOf(world, envelopes)], [envelopes.length, []]);
});

test("after a second of many pages the listing goes on by time, so that what vanishes hides nothing", async () => {
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

test("a row without the moment of completion that every page shows counts once", async () => {
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

test("a page that begins with a row without the moment of completion is as good as any other", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 25, () => 0);
  // Half of a page is listed again: the second one begins with it.
  world.docusign.showInListing(envelopes[PAGE / 2]!, ({ completedDateTime: _moment, ...row }) => [row]);

  const entry = await entryOfNextHour(world);

  assert.equal(entry.listed, 25);
  assert.deepEqual(await missingOf(world, envelopes), []);
});

test("pages of rows that nobody asked for end no listing", async () => {
  await using companies = await createListedCompanies();
  const { world } = companies;
  const envelopes = concludePurged(companies, 2 * PAGE + 5, (number) => number * 1_000);
  for (const envelope of envelopes.slice(0, 2 * PAGE))
    world.docusign.showInListing(envelope, (row) => [{ ...row, status: "sent" }]);

  const entry = await entryOfNextHour(world);

  assert.equal(entry.listed, 5);
  assert.deepEqual(await missingOf(world, envelopes.slice(2 * PAGE)), []);
});

test("what the account sent to its user, and only the listing of what the user received shows, counts there", async () => {
  await using companies = await createListedCompanies();
  const { world, admin, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [admin] });
  world.docusign.lateInListing(envelope, new Date(world.clock.now.getTime() + DAY_MS));
  onPage(world, 2, () => world.docusign.lateInListing(envelope, new Date(world.clock.now)));

  const entry = await entryOfNextHour(world);

  assert.deepEqual([entry.listed, entry.missed], [1, 1]);
});

/** An hour with two envelopes that the account sent and one that its user received, of which no event came. */
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

test("Connect does not owe what the user received where it tells only of what the account sent", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  account.recipientConnect = false;
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(await passHourUnheard(companies), [2]);
});

test("nor what the account sent where it tells only of what the user received", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const refused = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };
  world.docusign.failNext(1, refused, ({ method, template }) => method === "POST" && template === "/connect");
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  assert.deepEqual((await linkOf(world)).connect, { sent: "not-available", received: "active" });

  assert.deepEqual(await passHourUnheard(companies), [1]);
});

test("Connect owes nothing of what completed before the linking", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.clock.pass(DAY_MS);

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  assert.deepEqual(linesOf(world, "Connect did not report envelopes"), []);
});
