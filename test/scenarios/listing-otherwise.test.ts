import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
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
  DAY_MS,
  entriesOf,
  entryOfNextHour,
  ledgerOf,
  linesOf,
} from "../support/reconciling.ts";

// DocuSign may differ from the simulator's usual behaviour wherever its documentation is silent.

test("an envelope listed twice on a page is imported once and delays no other", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const twice = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "twice" });
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "once" });
  world.docusign.showInListing(twice, (row) => [row, row]);

  const entry = await entryOfNextHour(world);

  assert.deepEqual(await subjects(world), ["once", "twice"]);
  assert.deepEqual([entry.listed, entry.missed], [2, 2]);
  assertEntryAddsUp(entry);
});

const SILENT_ROWS: Readonly<Record<string, (row: Readonly<Record<string, unknown>>) => object>> = {
  "has no status": ({ status: _status, ...row }) => row,
  "has an empty status": (row) => ({ ...row, status: "" }),
  "lists a document without its id": (row) => ({ ...row, envelopeDocuments: [{ name: "契約書" }] }),
  "has no documents": (row) => ({ ...row, envelopeDocuments: [] }),
  "has no recipients in its lists": (row) => ({ ...row, recipients: { signers: [], recipientCount: "1" } }),
};

test("an incomplete row excludes nothing: the envelope itself is requested", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, partner } = linked;
  const fates: Record<string, string> = {};
  const envelopes = new Map<string, Awaited<ReturnType<typeof concludeUnheard>>>();
  for (const [what, change] of Object.entries(SILENT_ROWS)) {
    const envelope = await concludeUnheard(world, { from: partner, to: [admin] });
    world.docusign.showInListing(envelope, (row) => [change(row)]);
    envelopes.set(what, envelope);
  }

  await world.runHour();

  for (const [what, envelope] of envelopes) fates[what] = await fateOf(world, envelope);
  const expected = Object.keys(SILENT_ROWS).map((what) => [what, "imported received"]);
  assert.deepEqual(fates, Object.fromEntries(expected));
  assertAddsUp(await linkOf(world));
});

test("an envelope with no document except its certificate is requested once and never again", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "other" });
  const empty = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  empty.documents = [];

  await world.runHour();
  const later = await callsOf(world, async () => await world.runHour());

  assert.equal(await fateOf(world, empty), "excluded no-documents");
  assert.deepEqual(later, ["GET /envelopes", "GET /envelopes"]);
});

test("an envelope with an incomplete row waits, and the next link imports it if the link ends meanwhile", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague } = linked;
  world.clock.pass(10 * DAY_MS);
  const old = await concludeUnheard(world, {
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(world.clock.now.getTime() - 5 * DAY_MS),
  });
  const { completedAt } = old;
  world.docusign.extraneousInListing(old);
  old.completedAt = null;
  await world.runHour();
  const meanwhile = await explain(world, old);
  await endLink(world);
  old.completedAt = completedAt;

  await world.link(admin);
  await world.runJobs();

  assert.deepEqual([meanwhile.outcome, meanwhile.reason], ["waiting", "completion-unknown"]);
  assert.equal(await fateOf(world, old), "imported sent");
});

test("the last second of a full page is listed again completely, even if DocuSign's from_date is exclusive", async () => {
  await using linked = await createLinkedCompanies({ docusign: { validate: false } });
  const { world, colleague } = linked;
  world.docusign.setListingHabits({ fromExcluded: true });
  const start = new Date("2031-01-15T03:20:00Z").getTime();
  world.clock.now = new Date("2031-01-15T03:58:00Z");
  const envelopes = concludeQuietly(world, 1_100, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(start + Math.min(number, 990) * 1000),
    purged: true,
  }));

  const entry = await entryOfNextHour(world);

  const ledger = await ledgerOf(world);
  assert.deepEqual(
    envelopes.filter(({ envelopeId }) => !ledger.has(envelopeId)),
    [],
  );
  assert.equal(entry.listed, 1_100);
  assertEntryAddsUp(entry);
});

test("later hours are listed and imported even if DocuSign cannot confirm that the user is still an admin", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  world.docusign.failNext(1_000, { status: 503 }, "/users/{userId}");

  for (const subject of ["first", "second", "third"]) {
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject });
    await world.runHour();
  }
  const meanwhile = await subjects(world);
  const { state, id } = await linkOf(world);
  world.docusign.calmDown();
  const entry = await entryOfNextHour(world);

  assert.deepEqual([meanwhile, state], [["first", "second", "third"], "active"]);
  assert.equal(entry.state, "done");
  const [told] = linesOf(world, "reconciliation ended without a health check of the link");
  assert.deepEqual([told.linkId, told.fault, told.kind], [id, "http-503", "later"]);
});

test("an hourly run followed by a later one does not end as done if DocuSign reports that the user lost the right", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, { status: 503 }, "/users/{userId}");
  await world.runHour();
  world.docusign.failNext(1_000, { status: 404, body: { errorCode: "USER_NOT_FOUND" } }, "/users/{userId}");

  await world.runHour();

  const { state, cause } = await linkOf(world);
  assert.deepEqual([state, cause.code], ["error", "not-admin"]);
  const [hour] = (await entriesOf(world)).filter(({ to }) => to === "2031-01-15T04:00:00.000Z");
  assert.notEqual(hour.state, "done");
  world.docusign.calmDown();
});
