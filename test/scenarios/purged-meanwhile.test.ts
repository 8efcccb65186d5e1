import assert from "node:assert/strict";
import { test } from "node:test";
import { markPurged } from "../support/docusign/envelope-changes.ts";
import { importNow } from "../support/importing.ts";
import { CUSTOMER, concludeUnheard, createLinkedCompanies, fateOf } from "../support/linked-world.ts";
import { callsOf } from "../support/reconciling.ts";
import { stepOn } from "../support/stepping.ts";

const ENVELOPE = "/envelopes/{envelopeId}";
const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";
const MINUTE_MS = 60_000;

test("an envelope that was purged after it was listed is excluded, and its placeholders are not imported", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.clock.pass(MINUTE_MS);
  await stepOn(world, { manual: true });
  assert.equal(await fateOf(world, envelope), "waiting queued");
  markPurged(envelope, "documents_purged", "placeholders");

  world.clock.pass(MINUTE_MS + 1);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "excluded documents-purged");
  assert.deepEqual(await world.contracts(), []);
});

test("an envelope that was listed at most a minute ago is imported without another look at it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.clock.pass(MINUTE_MS);
  await stepOn(world, { manual: true });
  world.clock.pass(MINUTE_MS);

  assert.deepEqual(await callsOf(world, async () => await world.runJobs()), [`GET ${DOWNLOAD}`]);

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("an envelope is fetched again before each document that comes more than a minute later", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const documents = [{ name: "1.pdf" }, { name: "2.pdf" }, { name: "3.pdf" }];
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], documents });
  world.docusign.onNext(DOWNLOAD, () => {
    world.clock.pass(MINUTE_MS + 1);
    world.docusign.onNext(DOWNLOAD, () => {
      world.clock.pass(MINUTE_MS + 1);
      markPurged(envelope, "documents_purged", "placeholders");
    });
  });

  const calls = await callsOf(world, async () => await importNow(world, envelope));

  // The second download had been requested when the documents were purged, and returned a placeholder.
  assert.deepEqual(calls, [
    `GET ${ENVELOPE}`,
    `GET ${DOWNLOAD}`,
    `GET ${ENVELOPE}`,
    `GET ${DOWNLOAD}`,
    `GET ${ENVELOPE}`,
  ]);
  assert.equal(await fateOf(world, envelope), "excluded documents-purged");
});

for (const [what, purgeState, fate] of [
  ["are purged during their download", "documents_purged", "excluded documents-purged"],
  ["stay queued", "documents_queued", "imported sent"],
] as const) {
  test(`documents that are queued for a purge and ${what}: the envelope is ${fate}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    markPurged(envelope, "documents_queued");
    world.docusign.onNext(DOWNLOAD, () => markPurged(envelope, purgeState, "placeholders"));

    await importNow(world, envelope);

    assert.equal(await fateOf(world, envelope), fate);
    assert.equal((await world.contracts()).length, fate === "imported sent" ? 1 : 0);
  });
}
