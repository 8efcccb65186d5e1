import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import type { Failure } from "../support/docusign/faults.ts";
import { importNow } from "../support/importing.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
} from "../support/linked-world.ts";

const ENVELOPE = "/envelopes/{envelopeId}";

const UNKNOWN: Failure = { status: 404, body: { errorCode: "ENVELOPE_DOES_NOT_EXIST", message: "x" } };

test("an envelope whose event is faster than DocuSign's own index waits until DocuSign finds it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, UNKNOWN, ENVELOPE);

  await world.runJobs();
  const { outcome, reason, text } = await explain(world, envelope);
  world.clock.pass(5_000);
  await world.runJobs();

  assert.deepEqual([outcome, reason], ["waiting", "not-found-yet"]);
  assert.match(text, /まだ見つからない/);
  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("an envelope that DocuSign does not know is requested four times, then forgotten", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(100, UNKNOWN, ENVELOPE);
  const before = world.docusign.callsTo(ENVELOPE).length;

  for (let minute = 0; minute < 10; minute += 1) {
    await world.runJobs();
    world.clock.pass(60_000);
  }

  assert.equal(world.docusign.callsTo(ENVELOPE).length - before, 4);
  const { db } = world.service.foundation.working;
  const rows = await db
    .selectFrom("envelope")
    .select("state")
    .where("envelope_id", "=", envelope.envelopeId)
    .execute();
  assert.deepEqual(rows, []);
});

test("importing an envelope that DocuSign does not know ends as unknown", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(100, UNKNOWN, ENVELOPE);

  for (let attempt = 1; attempt < 4; attempt += 1)
    assert.equal((await importNow(world, envelope)).kind, "waiting");

  assert.deepEqual(await importNow(world, envelope), { kind: "unknown" });
});

test("a listed envelope that DocuSign cannot find waits for days and then counts as purged", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1_000, UNKNOWN, ({ template }) => template.startsWith(ENVELOPE));
  await world.runHour();

  for (let minute = 0; minute < 20; minute += 1) {
    world.clock.pass(60_000);
    await world.runJobs();
  }
  const meanwhile = await explain(world, envelope);
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS }).execute();
  world.docusign.lateInListing(envelope, new Date("2031-02-01T00:00:00Z"));
  await world.runHour();

  const gone = await explain(world, envelope);
  assert.equal(meanwhile.reason, "not-found-yet");
  assert.deepEqual([gone.outcome, gone.reason], ["excluded", "documents-purged"]);
  assert.equal(gone.facts.sentByAccount, true);
  assert.deepEqual(gone.facts, meanwhile.facts);
});

test("an excluded envelope that DocuSign no longer knows stays excluded with its known facts", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.docusign.purgeDocuments(envelope, "documents_purged");
  await world.runJobs();
  const before = await explain(world, envelope);
  world.docusign.failNext(100, UNKNOWN, ENVELOPE);

  const outcomes: string[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    outcomes.push((await importNow(world, envelope)).kind);
    world.clock.pass(60_000);
  }

  const after = await explain(world, envelope);
  assert.deepEqual(new Set(outcomes), new Set(["waiting", "excluded"]), outcomes.join());
  assert.equal(before.facts.sentByAccount, true);
  assert.deepEqual(
    [after.outcome, after.reason, after.facts, after.completedAt],
    [before.outcome, before.reason, before.facts, before.completedAt],
  );
});
