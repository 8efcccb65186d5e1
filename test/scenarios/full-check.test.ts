import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvelopeWish } from "../support/docusign/envelopes.ts";
import type { Envelope } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  linkOf,
} from "../support/linked-world.ts";
import {
  assertAddsUp,
  assertEntryAddsUp,
  concludeQuietly,
  DAY_MS,
  entriesOf,
  entryOfNextHour,
  linesOf,
} from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

test("a daily full check lists everything and names what DocuSign no longer lists", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const { docusign } = world;
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
  const gone = await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "gone" });
  await world.runJobs();

  world.clock.pass(DAY_MS);
  const before = await entryOfNextHour(world);
  await docusign.deleteEnvelope(gone);
  await world.runHour();
  const between = (await entriesOf(world))[0];
  world.clock.pass(DAY_MS);
  const after = await entryOfNextHour(world);

  assert.deepEqual([before.kind, before.atDocuSign, before.difference], ["full", 2, null]);
  assert.deepEqual([between.kind, between.difference], ["hourly", null]);
  assert.equal(after.kind, "full");
  assert.deepEqual(after.difference, {
    atDocuSign: 1,
    inLedger: 2,
    unlisted: { count: 1, envelopeIds: [gone.envelopeId] },
    unreadable: 0,
    uncounted: 0,
  });
  const [told] = linesOf(world, "the ledger differs from DocuSign");
  assert.deepEqual([told.linkId, told.atDocuSign, told.inLedger], [(await linkOf(world)).id, 1, 2]);
  assertAddsUp(await linkOf(world));
});

test("new envelopes do not wait for the full check of the same hour", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.runHour();
  world.clock.pass(DAY_MS);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });

  const newest = await entryOfNextHour(world);

  const [full, hourly] = await entriesOf(world);
  assert.deepEqual([full.kind, hourly.kind], ["full", "hourly"]);
  assert.deepEqual([full.id, full.to], [newest.id, hourly.to]);
  assert.deepEqual([full.missed, hourly.missed], [0, 1]);
  assert.ok(full.startedAt >= hourly.startedAt);
});

/** Rows per DocuSign page in these tests; the service asks for a thousand. */
const PAGE = 10;
const YESTERDAY = new Date("2031-01-14T03:20:00Z");

/** Concludes envelopes without a document to import, each completed `second` seconds after YESTERDAY. */
function concludePurged(
  { world, colleague }: Companies,
  count: number,
  wish: (number: number) => Partial<EnvelopeWish> & { second: number },
): Envelope[] {
  return concludeQuietly(world, count, (number) => {
    const { second, ...rest } = wish(number);
    const completedAt = new Date(YESTERDAY.getTime() + second * 1_000);
    return { from: colleague, to: [CUSTOMER], ...rest, completedAt, purged: true };
  });
}

/** Runs the next day's full check and returns its entry. */
async function checkEverything(world: World): Promise<any> {
  world.clock.pass(DAY_MS);
  const entry = await entryOfNextHour(world);
  assert.equal(entry.kind, "full");
  assertEntryAddsUp(entry);
  return entry;
}

test("a full check over several pages finds no difference if there is none", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague, partner } = linked;
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  concludePurged(linked, 45, (number) => ({
    from: number % 3 === 0 ? partner : colleague,
    to: [admin],
    second: Math.floor(number / 3),
  }));
  await world.runHour();

  const { listed, known, difference } = await checkEverything(world);

  assert.deepEqual([listed, known, difference], [45, 45, null]);
});

test("a full check finds no difference if envelopes from the account to its user are listed on both sides", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin } = linked;
  concludePurged(linked, 3, (number) => ({ to: [admin], second: number }));
  await world.runHour();

  const { listed, difference } = await checkEverything(world);

  assert.deepEqual([listed, difference], [3, null]);
});

test("a full check finds no difference if one second fills several pages", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  concludePurged(linked, 25, () => ({ second: 0 }));
  await world.runHour();

  const { listed, difference } = await checkEverything(world);

  assert.deepEqual([listed, difference], [25, null]);
});

test("a full check finds no difference if the rows are not in order", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  const envelopes = concludePurged(linked, 25, (number) => ({ second: number }));
  for (const [number, envelope] of envelopes.entries())
    world.docusign.misplacedInListing(envelope, new Date(YESTERDAY.getTime() + ((number * 7) % 25) * 1_000));
  await world.runHour();

  const { listed, difference } = await checkEverything(world);

  assert.deepEqual([listed, difference], [25, null]);
});

test("an envelope that DocuSign no longer lists is named, whichever page it was on", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  const envelopes = concludePurged(linked, 25, (number) => ({ second: number }));
  await world.runHour();
  const gone = [envelopes[3]!, envelopes[23]!];
  for (const envelope of gone) await world.docusign.deleteEnvelope(envelope);

  const { difference } = await checkEverything(world);

  assert.deepEqual(difference, {
    atDocuSign: 23,
    inLedger: 25,
    unlisted: { count: 2, envelopeIds: gone.map(({ envelopeId }) => envelopeId) },
    unreadable: 0,
    uncounted: 0,
  });
});

test("the full check names rows that cannot be read", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world } = linked;
  const [strange] = concludePurged(linked, 2, () => ({ second: 0 }));
  world.docusign.showInListing(strange!, ({ envelopeId: _envelopeId, ...row }) => [row]);

  const { atDocuSign, difference } = await checkEverything(world);

  assert.deepEqual([atDocuSign, difference.unreadable, difference.uncounted], [1, 1, 0]);
});

test("the full check reports how many envelopes DocuSign counts but does not list", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const [hidden] = concludePurged(linked, 2, () => ({ second: 0 }));
  world.docusign.showInListing(hidden!, () => []);

  const { atDocuSign, difference } = await checkEverything(world);

  assert.deepEqual([atDocuSign, difference?.uncounted], [1, 1]);
});

test("the full check reports uncounted envelopes over several pages too, even if some rows appear twice", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, partner } = linked;
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  const envelopes = concludePurged(linked, 45, (number) => ({
    from: partner,
    to: [admin],
    second: Math.floor(number / 3),
  }));
  world.docusign.showInListing(envelopes[36]!, () => []);
  await world.runHour();

  const { listed, difference } = await checkEverything(world);

  assert.deepEqual([listed, difference?.uncounted], [44, 1]);
});

test("rows that DocuSign lists without being asked make no difference to the full check", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const { docusign } = world;
  const unfinished = await docusign.sendEnvelope({ from: colleague, to: [CUSTOMER] });
  const later = await concludeUnheard(world, {
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(world.clock.now.getTime() + 7 * DAY_MS),
  });
  for (const stray of [unfinished, later]) docusign.extraneousInListing(stray);

  const { atDocuSign, difference } = await checkEverything(world);

  assert.deepEqual([atDocuSign, difference], [0, null]);
});

test("the daily full check runs at the same hour, even if runs end some time after it", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const fulls: string[] = [];
  for (let hour = 0; hour < 73; hour += 1) {
    world.docusign.onNext(
      ({ template }) => template === "/envelopes",
      () => world.clock.pass(8_000),
    );
    await world.runHour();
    const [entry] = await entriesOf(world);
    if (entry.kind === "full") fulls.push(entry.to.slice(11, 16));
  }

  assert.equal(fulls.length, 3);
  assert.equal(new Set(fulls).size, 1);
});
