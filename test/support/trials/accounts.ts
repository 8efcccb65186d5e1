import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { Database } from "../../../src/store/database.ts";
import type { Message } from "../docusign/connect-post.ts";
import type { Envelope, EnvelopeDocument } from "../docusign/state.ts";
import type { Ground } from "./ground.ts";
import type { Sender } from "./sender.ts";

/**
 * Compares the messages answered with 200 with the stored ones, by their identity at DocuSign, which is read from the
 * stored bytes. Returns each difference.
 */
export async function compareEvents(ground: Ground, sender: Sender): Promise<string[]> {
  const stored = await storedIdentities(ground.database.db);
  const accepted = [...sender.accepted].map(identityOfMessage);
  const known = new Set([...sender.accepted, ...sender.givenUp].map(identityOfMessage));
  return [
    ...accepted.filter((identity) => !stored.has(identity)).map((one) => `answered 200, not stored: ${one}`),
    ...[...stored.keys()]
      .filter((identity) => !known.has(identity))
      .map((one) => `stored, never sent: ${one}`),
    ...[...stored].filter(([, times]) => times > 1).map(([one, times]) => `stored ${times} times: ${one}`),
    ...[...sender.givenUp].map((message) => `given up by the sender: ${identityOfMessage(message)}`),
  ];
}

async function storedIdentities(db: Database): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("connect_event")
    .leftJoin("event_body", (join) =>
      join.onRef("slot", "=", "body_slot").onRef("event_id", "=", "connect_event.id"),
    )
    .select("event_body.body")
    .execute();
  const stored = new Map<string, number>();
  for (const { body } of rows) {
    const identity = identityOfBody(body ?? Buffer.alloc(0));
    stored.set(identity, (stored.get(identity) ?? 0) + 1);
  }
  return stored;
}

function identityOfMessage(message: Message): string {
  return identityOfBody(message.body(0));
}

function identityOfBody(body: Buffer): string {
  const { event, configurationId, generatedDateTime, data } = JSON.parse(body.toString());
  return `${event} ${data.envelopeId} ${generatedDateTime} of ${configurationId}`;
}

/**
 * True if each completed envelope is a settled row of the ledger, each of its documents one contract and one change
 * of the feed, and each contract's bytes are the document's. Names each difference.
 */
export async function compareContracts(ground: Ground): Promise<string[]> {
  const expected = expectedDocuments(ground);
  const contracts = await readAll(ground, (cursor) => `/v1/contracts?limit=200${cursor}`);
  const changes = await readFeed(ground);
  const problems = [
    ...countDifferences("contract", expected, contracts.map(keyOf)),
    ...countDifferences(
      "change",
      expected,
      changes.map(({ contract }) => keyOf(contract)),
    ),
    ...changes.filter(({ type }) => type !== "imported").map(({ type }) => `a change ${type}`),
    ...contracts.flatMap((contract) => {
      const document = expected.get(keyOf(contract));
      return document === undefined || document.sha256 === contract.sha256
        ? []
        : [`other bytes: ${contract.id}`];
    }),
    ...(await unsettled(ground)),
  ];
  return [...problems, ...(await unreadable(ground, contracts))];
}

type Expected = ReadonlyMap<string, { readonly sha256: string }>;

function expectedDocuments({ docusign }: Ground): Expected {
  const completed = [...docusign.state.envelopes.values()].filter(({ status }) => status === "completed");
  return new Map(completed.flatMap((envelope) => contentsOf(envelope)));
}

function contentsOf({ envelopeId, documents }: Envelope): [string, { sha256: string }][] {
  return documents
    .filter(({ type }) => type === "content")
    .map((document) => [`${envelopeId} ${document.documentId}`, { sha256: hashOf(document) }]);
}

function hashOf({ content }: EnvelopeDocument): string {
  const hash = createHash("sha256");
  for (const chunk of content.chunks()) hash.update(chunk);
  return hash.digest("hex");
}

function keyOf(contract: any): string {
  return `${contract.source.envelopeId} ${contract.source.documentId}`;
}

function countDifferences(what: string, expected: Expected, found: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const key of found) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [
    ...[...expected.keys()].filter((key) => !counts.has(key)).map((key) => `no ${what} of ${key}`),
    ...[...counts].filter(([key]) => !expected.has(key)).map(([key]) => `a ${what} of nothing: ${key}`),
    ...[...counts].filter(([, count]) => count > 1).map(([key, count]) => `${count} ${what}s of ${key}`),
  ];
}

async function readAll(ground: Ground, pathOf: (cursor: string) => string): Promise<any[]> {
  const items: any[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: any = await ground.get(pathOf(cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`));
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

async function readFeed(ground: Ground): Promise<any[]> {
  const items: any[] = [];
  let after = "";
  for (;;) {
    const page = await ground.get(`/v1/changes?limit=200${after}`);
    items.push(...page.items);
    after = `&after=${page.next}`;
    if (page.items.length === 0) break;
  }
  const sequences = items.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    [...new Set(sequences)].sort((one, other) => one - other),
    "the feed's order",
  );
  return items;
}

/** Envelopes that the ledger does not hold as imported. */
async function unsettled({ database, docusign }: Ground): Promise<string[]> {
  const { rows } = await sql<{ envelope_id: string; state: string; reason: string }>`
    select envelope_id, state, reason from envelope`.execute(database.db);
  const states = new Map(rows.map((row) => [row.envelope_id, `${row.state} ${row.reason}`]));
  return [...docusign.state.envelopes.values()]
    .map(({ envelopeId }) => `${envelopeId} ${states.get(envelopeId) ?? "not in the ledger"}`)
    .filter((line) => !line.includes(" imported "));
}

const READ = 20;

/** Some of the documents, read as the cabinet reads them. */
async function unreadable(ground: Ground, contracts: readonly any[]): Promise<string[]> {
  const problems: string[] = [];
  const authorization = `Bearer ${await ground.token()}`;
  for (const { id, sha256 } of contracts.slice(0, READ)) {
    const response = await fetch(`${ground.url}/v1/contracts/${id}/document`, { headers: { authorization } });
    const bytes = Buffer.from(await response.arrayBuffer());
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (hash !== sha256)
      problems.push(`document of ${id}: ${response.status}, other bytes than its hash says`);
  }
  return problems;
}
