import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  subjects,
} from "../support/linked-world.ts";

test("an envelope with three files becomes three contracts, and none for the certificate of completion", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;

  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "業務委託",
    documents: [{ name: "基本契約書.pdf", pages: 3 }, { name: "覚書.docx" }, { name: "別紙" }],
  });
  await world.runJobs();

  const contracts = (await world.contracts()).toSorted((one, other) =>
    one.source.documentId.localeCompare(other.source.documentId),
  );
  assert.deepEqual(
    contracts.map(({ fileName, pages, uploadedBy, groupId }) => ({ fileName, pages, uploadedBy, groupId })),
    [
      { fileName: "基本契約書.pdf", pages: 3, uploadedBy: "DocuSign", groupId: "group-1" },
      { fileName: "覚書.docx", pages: 1, uploadedBy: "DocuSign", groupId: "group-1" },
      { fileName: "別紙", pages: 1, uploadedBy: "DocuSign", groupId: "group-1" },
    ],
  );
  assert.deepEqual(contracts[0].source, {
    envelopeId: envelope.envelopeId,
    documentId: "1",
    accountId: account.accountId,
    completedAt: "2031-01-15T03:10:00.000Z",
    subject: "業務委託",
    position: 1,
    sender: { name: colleague.name, email: colleague.email },
    recipients: [{ ...CUSTOMER, role: "signer", completedAt: "2031-01-15T03:10:00.000Z" }],
  });
});

test("a contract's id is the version-5 UUID of its tenant, envelope and document", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelopeId = "e0000700-1111-4222-8333-000000000700";

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], envelopeId });
  await world.runJobs();

  const [contract] = await world.contracts();
  // Python: uuid5(UUID("6f5d4a1e-6f1c-5c0e-9a3b-3d1f6a7b8c9d"), "tenant-1/e0000700-1111-4222-8333-000000000700/1")
  assert.equal(contract.id, "e6d51178-b485-5bda-8937-c18177b4c5fa");
});

test("a contract has the bytes that DocuSign delivers, with their length and SHA-256", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const bytes = Buffer.concat([
    Buffer.from("%PDF-1.7\n"),
    Buffer.alloc(3_000_000, "契約"),
    Buffer.from("\n%%EOF"),
  ]);

  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: [{ name: "大きな契約書.pdf", bytes }],
  });
  await world.runJobs();

  const [contract] = await world.contracts();
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });
  const answer = await fetch(`${world.url}/v1/contracts/${contract.id}/document`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
  assert.equal(contract.bytes, bytes.length);
  assert.equal(contract.sha256, createHash("sha256").update(bytes).digest("hex"));
});

test("file names are kept as they are in DocuSign", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const names = [
    "売買契約書（最終版）〜2031年.pdf",
    'A/B\\C: <契約> | "覚書"?.docx',
    "../../etc/passwd",
    "\u202Efdp.契約\u202C.exe",
    "\u0000の見かけ␀ \t改行\n",
    "👩‍👩‍👧が\u3099.pdf",
    `${"長".repeat(296)}.pdf`,
    " 前後の空白 ",
    "'; drop table contract; --",
  ];

  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: names.map((name) => ({ name })),
  });
  await concludeUnheard(world, {
    from: colleague,
    to: [CUSTOMER],
    documents: names.map((name) => ({ name })),
  });
  await world.runHour();

  // NUL is the only character that PostgreSQL cannot store.
  const kept = names.map((name) => name.replace("\0", "\uFFFD"));
  const fileNames = (await world.contracts()).map((contract) => contract.fileName);
  assert.deepEqual(fileNames.sort(), [...kept, ...kept].sort());
});

test("the conclusion date is the date in Japan, to the second, however the envelope was found", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const moments = {
    "2031-01-14T14:59:59Z": "2031-01-14",
    "2031-01-14T15:00:00Z": "2031-01-15",
    "2030-12-31T14:59:59.999Z": "2030-12-31",
    "2030-12-31T15:00:00Z": "2031-01-01",
    "2028-02-28T15:00:00Z": "2028-02-29",
    "2030-07-01T15:30:00Z": "2030-07-02",
  };

  for (const [index, moment] of Object.keys(moments).entries()) {
    const wish = { from: colleague, to: [CUSTOMER], subject: moment, completedAt: new Date(moment) };
    if (index % 2 === 0) await world.docusign.concludeEnvelope(wish);
    else await concludeUnheard(world, wish);
  }
  await world.runJobs();
  world.clock.pass(24 * 60 * 60 * 1000);
  await world.runHour();

  const dates = (await world.contracts()).map(({ source, concludedOn }) => [source.subject, concludedOn]);
  assert.deepEqual(Object.fromEntries(dates), moments);
});

test("documents are downloaded by any id that their sender chose", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const ids = ["0", "007", "2147483647", "a b", "1/2", "50%", "?x=1&y", "#3", "..x", "SUMMARY-2"];

  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: ids.map((documentId) => ({ documentId, name: `${documentId}の書類` })),
  });
  await world.runJobs();

  const imported = (await world.contracts()).map(({ source, fileName }) => [source.documentId, fileName]);
  assert.deepEqual(imported.sort(), ids.map((id) => [id, `${id}の書類`]).sort());
});

test("documents of an unknown type become contracts, but summaries under other ids do not", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;

  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: [
      { name: "契約書", type: "content" },
      { name: "電子開示", type: "disclosure" },
      { name: "要約", type: "summary" },
    ],
  });
  await world.runJobs();

  assert.deepEqual((await world.contracts()).map((contract) => contract.fileName).sort(), [
    "契約書",
    "電子開示",
  ]);
});

test("an envelope whose documents are purged is excluded; one that is only queued for purging is imported", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const conclude = async (subject: string) =>
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject });
  const [queued, purged, wholly] = [
    await conclude("queued"),
    await conclude("purged"),
    await conclude("wholly"),
  ];
  world.docusign.holdDeliveries();
  await world.docusign.purgeDocuments(queued, "documents_queued");
  await world.docusign.purgeDocuments(purged, "documents_purged");
  await world.docusign.purgeDocuments(wholly, "documents_and_metadata_purged");

  await world.runHour();

  assert.deepEqual(await subjects(world), ["queued"]);
  assert.equal(await fateOf(world, purged), "excluded documents-purged");
  assert.equal(await fateOf(world, wholly), "excluded documents-purged");
});

test("an envelope whose documents are purged between its event and its import is excluded as purged", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.docusign.purgeDocuments(envelope, "documents_purged");
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "excluded documents-purged");
});

test("documents that are purged during the download are excluded as purged instead of retried forever", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const documents = [{ name: "一" }, { name: "二" }];
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], documents });
  world.docusign.holdDeliveries();
  world.docusign.onNext("/envelopes/{envelopeId}/documents/{documentId}", async () => {
    await world.docusign.purgeDocuments(envelope, "documents_purged");
  });

  await world.runHour();
  await world.runHour();

  assert.equal(await fateOf(world, envelope), "excluded documents-purged");
  assert.deepEqual(await world.contracts(), []);
});

test("an envelope that holds only its certificate is excluded as having no documents", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents: [] });
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "excluded no-documents");
});

test("recipients and documents missing in DocuSign's response are requested separately", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;
  world.docusign.withoutIncludes();

  await world.docusign.concludeEnvelope({ from: partner, to: [admin], subject: "heard" });
  await concludeUnheard(world, { from: partner, to: [admin], subject: "unheard" });
  await world.runHour();

  assert.deepEqual(await subjects(world), ["heard", "unheard"]);
});

test("an explanation gives the rule, its facts, the events and the contracts, but no e-mail address", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;

  const envelope = await world.docusign.concludeEnvelope({ from: partner, to: [admin] });
  await world.runJobs();

  const told = await explain(world, envelope);
  assert.equal(`${told.outcome} ${told.reason}`, "imported received");
  assert.equal(told.facts.sentByAccount, false);
  assert.equal(told.facts.receivedByUser, true);
  assert.deepEqual(
    told.events.map(({ event }: { event: string }) => event),
    ["envelope-completed"],
  );
  assert.deepEqual(
    told.contracts.map(({ id }: { id: string }) => id),
    (await world.contracts()).map(({ id }) => id),
  );
  assert.doesNotMatch(JSON.stringify(told), /@/);
});
