import assert from "node:assert/strict";
import { test } from "node:test";
import { openDocuSignAccount } from "../../src/docusign/api/account.ts";
import { DOWNLOAD_AGAIN_MS, MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import { createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import type { Failure } from "../support/docusign/faults.ts";
import { importNow } from "../support/importing.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
} from "../support/linked-world.ts";
import { MINUTE_MS } from "../support/reconciling.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

test("a document that arrives complete but without a length is imported at once", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.endNextDownloadByClose("whole");

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

const NO_PDF: Readonly<Record<string, { bytes: Buffer | string; reason: string }>> = {
  "not a PDF": { bytes: "PK\u0003\u0004 a word processor's file", reason: "document-not-pdf" },
  empty: { bytes: "", reason: "document-empty" },
};

for (const [name, { bytes, reason }] of Object.entries(NO_PDF)) {
  test(`an envelope with a document that is ${name} waits as a whole and is not retried at once`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const documents = [{ name: "一" }, { name: "二" }];
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents });
    world.docusign.serveNextDownloadAs(bytes);

    await world.runJobs();
    assert.equal(await fateOf(world, envelope), `waiting ${reason}`);
    world.clock.pass(15 * 60 * 1000);
    await world.runJobs();
    assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
    assert.deepEqual(await world.contracts(), []);
    world.clock.pass(5 * 60 * 1000);
    await world.runJobs();

    assert.equal((await world.contracts()).length, 2);
  });
}

test("an envelope whose document is not a PDF for days is parked and still reports that reason", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.serveNextDownloadAs("PK\u0003\u0004 a word processor's file");
  await world.runJobs();
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS }).execute();
  world.docusign.serveNextDownloadAs("PK\u0003\u0004 a word processor's file");

  world.clock.pass(DOWNLOAD_AGAIN_MS);
  await world.runJobs();

  const { outcome, reason, waitingFor } = await explain(world, envelope);
  assert.deepEqual([outcome, reason, waitingFor.until], ["waiting", "document-not-pdf", null]);
});

test("a stalled download is abandoned, its partial document is not kept, and the import succeeds later", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { tasks } = world.service.foundation;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const tokens = createAccessTokens(tasks);
  const impatient: typeof tasks = {
    ...tasks,
    openAccount: ({ id, account }) =>
      openDocuSignAccount({
        baseUri: account.baseUri,
        accountId: account.id,
        accessToken: async (stale) => await tokens.get(id, stale),
        timeoutMs: 200,
      }),
  };
  world.docusign.stallNextDownload();

  const stalled = await importNow(world, envelope, impatient);
  const told = await explain(world, envelope);
  const keys: string[] = [];
  for await (const { key } of tasks.documents.list()) keys.push(key);
  world.clock.pass(5_000);
  await importNow(world, envelope);

  assert.equal(stalled.kind, "waiting");
  assert.equal(told.lastError, "timeout");
  assert.deepEqual(keys, []);
  assert.equal(await fateOf(world, envelope), "imported sent");
});

const BLOCKED: Failure = {
  status: 400,
  body: { errorCode: "API_REQUEST_IS_THROTTLED", message: "GetDocument call blocked" },
};

test("a download that DocuSign blocks is not retried within a quarter of an hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, BLOCKED, DOCUMENT);

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  world.clock.pass(14 * 60 * 1000);
  await world.runJobs();
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
  world.clock.pass(60 * 1000);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 1);
});

test("an hourly run during a blocked download lists its envelope but does not retry it sooner", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.clock.now = new Date("2031-01-15T03:55:00Z");
  world.docusign.failNext(1, BLOCKED, DOCUMENT);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  await world.runHour();
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
  world.clock.pass(10 * MINUTE_MS);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 1);
});

test("a document that is not found for days is reported as a failure and parked", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(
    100,
    { status: 404, body: { errorCode: "DOCUMENT_DOES_NOT_EXIST", message: "x" } },
    DOCUMENT,
  );
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS }).execute();

  await world.runHour();

  const { outcome, reason, waitingFor } = await explain(world, envelope);
  assert.deepEqual([outcome, reason, waitingFor.until], ["waiting", "import-failed", null]);
});

test("an envelope with a document that is not found waits: only the envelope itself shows that documents are purged", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const missing: Failure = { status: 404, body: { errorCode: "DOCUMENT_DOES_NOT_EXIST", message: "x" } };
  world.docusign.failNext(100, missing, "/envelopes/{envelopeId}/documents/{documentId}");
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });

  for (let minute = 0; minute < 10; minute += 1) {
    await world.runJobs();
    world.clock.pass(60_000);
  }

  assert.equal(await fateOf(world, envelope), "waiting not-found-yet");
  await world.docusign.purgeDocuments(envelope, "documents_purged");
  await world.runHour();
  assert.equal(await fateOf(world, envelope), "excluded documents-purged");
});
