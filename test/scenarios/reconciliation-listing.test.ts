import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import {
  assertAddsUp,
  assertEntryAddsUp,
  callsOf,
  concludeQuietly,
  countsOf,
  DAY_MS,
  entryOfNextHour,
  HOUR_MS,
  ledgerOf,
  MINUTE_MS,
} from "../support/reconciling.ts";

const LISTING = "GET /envelopes";

/** Concludes any number of envelopes that are excluded as purged, so that none needs an import. */
async function listPurged(
  { world, colleague }: Companies,
  count: number,
  completedAt: (number: number) => Date,
): Promise<ReturnType<typeof concludeQuietly>> {
  return concludeQuietly(world, count, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    completedAt: completedAt(number),
    purged: true,
  }));
}

test("an envelope without an event is imported at the next hour and counted as missed", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });

  const entry = await entryOfNextHour(world);

  assert.deepEqual(await subjects(world), ["unheard"]);
  assert.deepEqual(countsOf(entry), { listed: 1, known: 0, missed: 1, excluded: {}, waiting: 1, failed: 0 });
});

test("the next hour recognizes an imported envelope and needs only two listings and a check of the user", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  let entry: any;

  const calls = await callsOf(world, async () => {
    entry = await entryOfNextHour(world);
  });

  assert.deepEqual(calls, [LISTING, LISTING, "GET /users/{userId}"]);
  assert.deepEqual(countsOf(entry), { listed: 1, known: 1, missed: 0, excluded: {}, waiting: 0, failed: 0 });
  assert.equal(entry.calls, 3);
});

test("an excluded envelope keeps its decision time, however many hours list it", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const [envelope] = await listPurged(linked, 1, () => world.clock.now);
  await world.runHour();
  const decided = await explain(world, envelope!);

  await world.runHour();

  assert.equal(decided.decidedAt, "2031-01-15T04:00:00.000Z");
  assert.deepEqual(await explain(world, envelope!), decided);
});

test("an envelope announced by an event does not count as missed, even if its import has not run", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "announced" });
  await sql`delete from graphile_worker._private_jobs`.execute(world.service.foundation.working.db);

  const entry = await entryOfNextHour(world);

  assert.deepEqual(await subjects(world), ["announced"]);
  assert.deepEqual([entry.listed, entry.known, entry.missed], [1, 1, 0]);
});

test("each exclusion rule is counted, an excluded envelope costs no call, and the sums add up", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague, partner } = linked;
  const { docusign } = world;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "ours" });
  const purged = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  docusign.holdDeliveries();
  await docusign.purgeDocuments(purged, "documents_purged");
  const forwarded = await docusign.sendEnvelope({ from: partner, to: [partner] });
  await docusign.delegate(forwarded, partner, admin);
  await docusign.completeEnvelope(forwarded);
  docusign.held.splice(0);
  let entry: any;

  const calls = await callsOf(world, async () => {
    entry = await entryOfNextHour(world);
  });

  assert.deepEqual(entry.excluded, { "documents-purged": 1, "forwarded-to-user": 1 });
  assert.deepEqual([entry.listed, entry.known, entry.missed], [3, 0, 1]);
  assertEntryAddsUp(entry);
  const link = await linkOf(world);
  assert.deepEqual(link.totals, { atDocuSign: 3, imported: 1, excluded: 2, deleted: 0, waiting: 0 });
  assertAddsUp(link);
  // The missed envelope triggers a Connect check; no envelope is requested, now or in the next hour.
  assert.deepEqual(
    calls.filter((call) => call.includes("{envelopeId}")),
    ["GET /envelopes/{envelopeId}/documents/{documentId}"],
  );
  assert.deepEqual(await callsOf(world, async () => await world.runHour()), [LISTING, LISTING]);
});

test("more than two thousand envelopes of one second are all accounted for, each counted once", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world } = linked;
  const second = new Date("2031-01-15T03:20:00Z");
  world.clock.now = new Date("2031-01-15T03:30:00Z");
  await listPurged(linked, 300, (number) => new Date(second.getTime() - (number + 1) * 1000));
  await listPurged(linked, 2_300, (number) => new Date(second.getTime() + (number % 1000)));
  await listPurged(linked, 300, (number) => new Date(second.getTime() + (number + 1) * 1000));

  const entry = await entryOfNextHour(world);

  assert.equal((await linkOf(world)).totals.atDocuSign, 2_900);
  assert.deepEqual([entry.listed, entry.known], [2_900, 0]);
  assertEntryAddsUp(entry);
});

test("envelopes removed between two pages hide no others", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world } = linked;
  const start = new Date("2031-01-15T03:20:00Z").getTime();
  world.clock.now = new Date("2031-01-15T03:58:00Z");
  const envelopes = await listPurged(linked, 1_500, (number) => new Date(start + number * 1000));
  const vanishing = envelopes.slice(100, 400);
  onSecondListing(linked, () => {
    for (const envelope of vanishing) envelope.status = "deleted";
  });

  await entryOfNextHour(world);

  const ledger = await ledgerOf(world);
  const lost = envelopes.slice(400).filter(({ envelopeId }) => !ledger.has(envelopeId));
  assert.deepEqual(lost, []);
});

test("envelopes removed within a second that fills several pages hide no others", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world } = linked;
  world.clock.now = new Date("2031-01-15T03:58:00Z");
  const second = new Date("2031-01-15T03:20:00Z");
  const envelopes = await listPurged(linked, 1_400, () => second);
  onSecondListing(linked, () => {
    for (const envelope of envelopes.slice(0, 40)) envelope.status = "deleted";
  });

  await entryOfNextHour(world);

  const ledger = await ledgerOf(world);
  assert.deepEqual(
    envelopes.slice(40).filter(({ envelopeId }) => !ledger.has(envelopeId)),
    [],
  );
});

/** Acts just before the second page of the sent side is answered. */
function onSecondListing({ world }: Companies, act: () => void): void {
  world.docusign.onNext("/envelopes", () => {
    world.docusign.onNext("/envelopes", act);
  });
}

test("envelopes listed out of order, pages after their place, are not missed", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world } = linked;
  const start = new Date("2031-01-15T03:00:00Z").getTime();
  const moment = (number: number): Date => new Date(start + number * 1000);
  world.clock.now = new Date("2031-01-15T03:58:00Z");
  const envelopes = await listPurged(linked, 2_800, moment);
  // The first page shows that rows are out of order; the second is in order but omits a row, shown on the third.
  world.docusign.misplacedInListing(envelopes[10]!, moment(900));
  world.docusign.misplacedInListing(envelopes[1_200]!, moment(2_500));

  const entry = await entryOfNextHour(world);

  const ledger = await ledgerOf(world);
  assert.deepEqual(
    envelopes.filter(({ envelopeId }) => !ledger.has(envelopeId)),
    [],
  );
  assert.equal(entry.listed, 2_800);
  assertEntryAddsUp(entry);
});

test("rows that do not match the query, of any status and time, change nothing and hide nothing", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world, colleague } = linked;
  const { docusign } = world;
  const start = new Date("2031-01-15T03:20:00Z").getTime();
  world.clock.now = new Date("2031-01-15T03:58:00Z");
  const envelopes = await listPurged(linked, 1_100, (number) => new Date(start + number * 1000));
  docusign.holdDeliveries();
  const unfinished = await docusign.sendEnvelope({ from: colleague, to: [CUSTOMER] });
  const later = await docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date("2031-01-15T05:00:00Z"),
  });
  docusign.held.splice(0);
  for (const stray of [unfinished, later]) docusign.extraneousAtPageEnds(stray);

  const entry = await entryOfNextHour(world);

  const ledger = await ledgerOf(world);
  assert.deepEqual(
    envelopes.filter(({ envelopeId }) => !ledger.has(envelopeId)),
    [],
  );
  assert.equal(entry.listed, 1_100);
  assert.equal(ledger.get(unfinished.envelopeId), undefined);
  assert.equal(ledger.get(later.envelopeId), undefined);
});

test("a row without recipients is decided by requesting them, which is not repeated once it is excluded", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague, partner } = linked;
  const { docusign } = world;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await world.runHour();
  const received = await concludeUnheard(world, { from: partner, to: [admin], subject: "received" });
  docusign.holdDeliveries();
  const forwarded = await docusign.sendEnvelope({ from: partner, to: [partner] });
  await docusign.delegate(forwarded, partner, admin);
  await docusign.completeEnvelope(forwarded);
  docusign.held.splice(0);
  for (const envelope of [received, forwarded]) docusign.withoutRecipientsInListing(envelope);

  await world.runHour();
  const later = await callsOf(world, async () => await world.runHour());

  assert.equal(await fateOf(world, received), "imported received");
  assert.equal(await fateOf(world, forwarded), "excluded forwarded-to-user");
  assert.deepEqual(later, [LISTING, LISTING]);
});

test("a row without a completion time waits with that reason and is imported once DocuSign returns the time", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const completedAt = envelope.completedAt;
  world.docusign.extraneousInListing(envelope);
  envelope.completedAt = null;

  await world.runHour();
  assert.equal(await fateOf(world, envelope), "waiting completion-unknown");
  assertAddsUp(await linkOf(world));
  const first = await explain(world, envelope);
  world.clock.pass(5_000);
  await world.runJobs();
  const second = await explain(world, envelope);
  assert.deepEqual([first.attempts, second.attempts], [1, 2], "waits grow with the attempts");

  envelope.completedAt = completedAt;
  await world.runHour();
  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("an envelope listed hours late with its earlier completion time is imported at the following hour", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.lateInListing(envelope, new Date(world.clock.now.getTime() + 20 * HOUR_MS));

  for (let hour = 0; hour < 20; hour += 1) await world.runHour();
  assert.deepEqual(await subjects(world), []);

  await world.runHour();
  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("an envelope listed days late is found by the daily full check", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.lateInListing(envelope, new Date(world.clock.now.getTime() + 5 * DAY_MS));

  world.clock.pass(4 * DAY_MS);
  await world.runHour();
  assert.deepEqual(await subjects(world), []);

  world.clock.pass(2 * DAY_MS);
  const entry = await entryOfNextHour(world);
  assert.equal(entry.kind, "full");
  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("with ten rows per page, all envelopes of one second are found, and the received one before it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague, partner } = companies;
  world.docusign.setListingHabits({ rowsAtMost: 10 });
  const early = new Date(world.clock.now.getTime() + MINUTE_MS);
  const late = new Date(early.getTime() + MINUTE_MS);
  concludeQuietly(world, 35, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    subject: `sent ${number}`,
    completedAt: late,
  }));
  concludeQuietly(world, 1, () => ({ from: partner, to: [admin], subject: "received", completedAt: early }));

  const entry = await entryOfNextHour(world);

  assert.deepEqual([entry.listed, entry.missed], [36, 36]);
  assert.equal((await subjects(world)).length, 36);
});
