import assert from "node:assert/strict";
import { test } from "node:test";
import { markPurged } from "../support/docusign/envelope-changes.ts";
import type { Envelope, User } from "../support/docusign/state.ts";
import { runAtOnce } from "../support/first-import.ts";
import { type Companies, CUSTOMER, createLinkedCompanies, fateOf } from "../support/linked-world.ts";
import { callsOf, concludeQuietly, HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";
import { stepOn } from "../support/stepping.ts";

const LISTING = "/envelopes";
const ENVELOPE = "/envelopes/{envelopeId}";
const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

/** Returns envelopes that a listing has shown just over a minute ago. */
async function listLongAgo(
  { world, colleague }: Companies,
  count: number,
  { from = colleague, to }: { from?: User; to?: User } = {},
): Promise<Envelope[]> {
  const envelopes = concludeQuietly(world, count, (number) => ({
    from,
    to: [to ?? CUSTOMER],
    completedAt: new Date(world.clock.now.getTime() - (count - number) * 1_000),
  }));
  world.clock.pass(MINUTE_MS);
  await stepOn(world, { manual: true });
  world.clock.pass(MINUTE_MS + 1);
  return envelopes;
}

async function fatesOf({ world }: Companies, envelopes: readonly Envelope[]): Promise<string[]> {
  const fates: string[] = [];
  for (const envelope of envelopes) fates.push(await fateOf(world, envelope));
  return fates;
}

/** The number of calls of each kind. */
async function countCalls(
  { world }: Companies,
  act: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const calls = Object.groupBy(await callsOf(world, act), (call) => call.replace("GET ", ""));
  return Object.fromEntries(Object.entries(calls).map(([call, all = []]) => [call, all.length]));
}

test("envelopes that wait for more than a minute are read again with one call, and imported", async () => {
  await using companies = await createLinkedCompanies();
  const envelopes = await listLongAgo(companies, 3);

  const calls = await callsOf(companies.world, async () => await companies.world.runJobs());

  assert.deepEqual(
    calls,
    [LISTING, DOWNLOAD, DOWNLOAD, DOWNLOAD].map((path) => `GET ${path}`),
  );
  assert.deepEqual(await fatesOf(companies, envelopes), Array(3).fill("imported sent"));
});

test("lanes that work at the same time share the call", async () => {
  await using companies = await createLinkedCompanies();
  const envelopes = await listLongAgo(companies, 12);
  companies.world.docusign.answerSlowly(300, LISTING);

  const calls = await countCalls(companies, async () => await runAtOnce(companies.world));

  assert.deepEqual(calls, { [LISTING]: 1, [DOWNLOAD]: 12 });
  assert.deepEqual(await fatesOf(companies, envelopes), Array(12).fill("imported sent"));
});

test("one call reads 48 envelopes again, with an address below 2,048 characters", async () => {
  await using companies = await createLinkedCompanies();
  const { world, partner, admin } = companies;
  await listLongAgo(companies, 50, { from: partner, to: admin });
  const before = world.docusign.calls.length;

  await world.runJobs();

  const listings = world.docusign.calls.slice(before).filter(({ template }) => template === LISTING);
  assert.deepEqual(
    listings.map(({ query }) => query.get("envelope_ids")?.split(",").length),
    [48, 2],
  );
  for (const { query } of listings) assert.equal(query.get("user_filter"), "recipient");
  const path = "/restapi/v2.1/accounts/00000000-0000-4000-8000-000000000000/envelopes?";
  // docusign-esign leaves these as they are.
  const query = String(listings[0]?.query).replaceAll("%2C", ",").replaceAll("%3A", ":");
  const address = `${path}${query}`;
  assert.ok(address.length < 2_048, address);
  assert.equal((await world.contracts()).length, 50);
});

test("an envelope that was purged meanwhile is excluded, and the others are imported", async () => {
  await using companies = await createLinkedCompanies();
  const envelopes = await listLongAgo(companies, 3);
  markPurged(envelopes[1]!, "documents_purged", "placeholders");

  const calls = await countCalls(companies, async () => await companies.world.runJobs());

  assert.deepEqual(calls, { [LISTING]: 1, [ENVELOPE]: 1, [DOWNLOAD]: 2 });
  assert.deepEqual(await fatesOf(companies, envelopes), [
    "imported sent",
    "excluded documents-purged",
    "imported sent",
  ]);
});

test("an envelope that is purged between the call and its import is read by itself if that takes a minute", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const envelopes = await listLongAgo(companies, 2);
  world.docusign.onNext(DOWNLOAD, () => {
    const path = world.docusign.calls.at(-1)?.path;
    for (const other of envelopes.filter(({ envelopeId }) => !path?.includes(envelopeId)))
      markPurged(other, "documents_purged", "placeholders");
    world.clock.pass(MINUTE_MS + 1);
  });

  await world.runJobs();

  const fates = await fatesOf(companies, envelopes);
  assert.deepEqual(fates.sort(), ["excluded documents-purged", "imported sent"]);
});

test("an envelope that the listing does not show is read by itself", async () => {
  await using companies = await createLinkedCompanies();
  const envelopes = await listLongAgo(companies, 3);
  envelopes[2]!.inListing.hiddenUntil = new Date(companies.world.clock.now.getTime() + HOUR_MS);

  const calls = await countCalls(companies, async () => await companies.world.runJobs());

  assert.deepEqual(calls, { [LISTING]: 1, [ENVELOPE]: 1, [DOWNLOAD]: 3 });
  assert.deepEqual(await fatesOf(companies, envelopes), Array(3).fill("imported sent"));
});

test("rows without recipients or documents decide nothing: their envelopes are read one by one", async () => {
  await using companies = await createLinkedCompanies();
  const envelopes = await listLongAgo(companies, 3);
  for (const { inListing } of envelopes)
    inListing.rowsInstead = (row) => [{ ...row, envelopeDocuments: undefined }];

  const calls = await countCalls(companies, async () => await companies.world.runJobs());

  assert.deepEqual(calls, { [LISTING]: 1, [ENVELOPE]: 3, [DOWNLOAD]: 3 });
  assert.deepEqual(await fatesOf(companies, envelopes), Array(3).fill("imported sent"));
});

for (const [what, failure] of [
  ["refuses", { status: 400, body: { errorCode: "INVALID_REQUEST_PARAMETER" } }],
  ["cannot finish", { status: 504 }],
] as const) {
  test(`if DocuSign ${what} the call, it is not repeated, and the envelopes are read one by one`, async () => {
    await using companies = await createLinkedCompanies();
    const envelopes = await listLongAgo(companies, 3);
    companies.world.docusign.failNext(9, failure, LISTING);

    const calls = await countCalls(companies, async () => await companies.world.runJobs());

    assert.deepEqual(calls, { [LISTING]: 1, [ENVELOPE]: 3, [DOWNLOAD]: 3 });
    assert.deepEqual(await fatesOf(companies, envelopes), Array(3).fill("imported sent"));
  });
}

test("if the call meets the account's limit, the link waits for it, and then one call is enough", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const envelopes = await listLongAgo(companies, 3);
  const failure = { status: 429, body: { errorCode: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED" } };
  world.docusign.failNext(1, failure, LISTING);

  assert.deepEqual(await countCalls(companies, async () => await world.runJobs()), { [LISTING]: 1 });
  world.clock.pass(HOUR_MS);
  const calls = await countCalls(companies, async () => await world.runJobs());

  assert.deepEqual(calls, { [LISTING]: 1, [DOWNLOAD]: 3 });
  assert.deepEqual(await fatesOf(companies, envelopes), Array(3).fill("imported sent"));
});

test("an envelope that waits alone is read by itself", async () => {
  await using companies = await createLinkedCompanies();
  const [envelope] = await listLongAgo(companies, 1);

  const calls = await callsOf(companies.world, async () => await companies.world.runJobs());

  assert.deepEqual(calls, [`GET ${ENVELOPE}`, `GET ${DOWNLOAD}`]);
  assert.equal(await fateOf(companies.world, envelope!), "imported sent");
});
