import { createHash } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Forwarding } from "../domain/envelope.ts";
import type { EnvelopeId, LinkId } from "../domain/identifiers.ts";
import { PRIORITY } from "./queue.ts";
import type { DB } from "./schema.ts";

/** A Connect message as it is recorded: what it says in our words, and its bytes. */
export type ConnectEvent = {
  readonly linkId: LinkId;
  /** What identifies the message at DocuSign: a retry has the same. */
  readonly identity: string;
  readonly format: "json-sim" | "json-aggregate" | "xml";
  readonly event: string;
  readonly envelopeId: EnvelopeId | null;
  readonly generatedAt: Date | null;
  readonly receivedAt: Date;
  readonly body: Uint8Array;
  readonly forwardings: readonly Forwarding[];
  /** The import that it asks for: at a moment, or (null) at once by the database's clock. */
  readonly import: { readonly at: Date | null } | null;
};

export type Recorded = "recorded" | "repeat" | "no-link";

/**
 * Records events and queues their imports in one commit. The answers stand in the order of the events.
 * The rows are written in one order everywhere, so that two batches with the same events cannot deadlock.
 */
export async function recordEvents(db: Kysely<DB>, events: readonly ConnectEvent[]): Promise<Recorded[]> {
  const unique = new Map(events.map((event) => [keyOf(event), event]));
  const sorted = [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event);
  return await db.transaction().execute(async (tx) => {
    const links = await activeLinks(tx, sorted);
    const accepted = sorted.filter((event) => links.has(event.linkId));
    const fresh = accepted.length > 0 ? await insertFresh(tx, accepted) : new Map<string, string>();
    for (const event of accepted)
      await recordForwardings(tx, event, fresh.get(keyOf(event)), links.get(event.linkId));
    return answers(events, links, fresh);
  });
}

/** Which of the envelopes an event has announced as completed, whether or not its import has run. */
export async function announcedEnvelopes(
  db: Kysely<DB>,
  linkId: LinkId,
  envelopeIds: readonly EnvelopeId[],
): Promise<ReadonlySet<string>> {
  if (envelopeIds.length === 0) return new Set();
  const rows = await db
    .selectFrom("connect_event")
    .select("envelope_id")
    .distinct()
    .where("link_id", "=", linkId)
    .where("event", "=", "envelope-completed")
    .where("envelope_id", "in", [...envelopeIds])
    .execute();
  return new Set(rows.map((row) => row.envelope_id ?? ""));
}

export type RecordedEvent = {
  readonly id: string;
  readonly linkId: string;
  readonly event: string;
  readonly format: string;
  readonly envelopeId: string | null;
  readonly generatedAt: Date | null;
  readonly receivedAt: Date;
};

/** The events about an envelope that came to the tenant's links, in the order they came. */
export async function eventsOfEnvelope(db: Kysely<DB>, tenant: string, envelopeId: EnvelopeId): Promise<RecordedEvent[]> {
  return await selectEvents(db)
    .where("link.tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .orderBy("received_at")
    .orderBy("connect_event.id")
    .execute();
}

/** Envelopes whose completion was announced since a moment to links that have not ended. */
export async function completionsSince(
  db: Kysely<DB>,
  filter: { linkId: LinkId | null; since: Date },
): Promise<{ linkId: string; envelopeId: string }[]> {
  let query = db
    .selectFrom("connect_event")
    .innerJoin("link", "link.id", "connect_event.link_id")
    .select(["link_id as linkId", "envelope_id as envelopeId"])
    .distinct()
    .where("link.state", "<>", "ended")
    .where("event", "=", "envelope-completed")
    .where("received_at", ">=", filter.since);
  if (filter.linkId !== null) query = query.where("link_id", "=", filter.linkId);
  const rows = await query.execute();
  return rows.flatMap(({ linkId, envelopeId }) => (envelopeId === null ? [] : [{ linkId, envelopeId }]));
}

function selectEvents(db: Kysely<DB>) {
  return db
    .selectFrom("connect_event")
    .innerJoin("link", "link.id", "connect_event.link_id")
    .select([
      "connect_event.id as id",
      "link_id as linkId",
      "event",
      "format",
      "envelope_id as envelopeId",
      "generated_at as generatedAt",
      "received_at as receivedAt",
    ]);
}

/** Only the first of two equal events in one batch is fresh; the other is its repeat. */
function answers(
  events: readonly ConnectEvent[],
  links: ReadonlyMap<string, string>,
  fresh: Map<string, string>,
): Recorded[] {
  return events.map((event) => {
    if (!links.has(event.linkId)) return "no-link";
    return fresh.delete(keyOf(event)) ? "recorded" : "repeat";
  });
}

async function activeLinks(db: Kysely<DB>, events: readonly ConnectEvent[]): Promise<Map<string, string>> {
  const ids = [...new Set(events.map((event) => event.linkId))];
  const rows = await db
    .selectFrom("link")
    .select(["id", "tenant"])
    .where("id", "in", ids)
    .where("state", "<>", "ended")
    .execute();
  return new Map(rows.map((row) => [row.id, row.tenant]));
}

async function insertFresh(db: Kysely<DB>, events: readonly ConnectEvent[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; link_id: string; identity: string }>`
    with input as (
      select * from unnest(
        ${events.map((event) => event.linkId)}::uuid[], ${events.map(identityHash)}::text[],
        ${events.map((event) => event.format)}::text[], ${events.map((event) => event.event)}::text[],
        ${events.map((event) => event.envelopeId)}::uuid[], ${events.map((event) => event.generatedAt)}::timestamptz[],
        ${events.map((event) => event.receivedAt)}::timestamptz[], ${events.map((event) => Buffer.from(event.body))}::bytea[],
        ${events.map((event) => event.import !== null)}::boolean[], ${events.map((event) => event.import?.at ?? null)}::timestamptz[]
      ) as t (link_id, identity, format, event, envelope_id, generated_at, received_at, body, imports, import_at)
    ), fresh as (
      insert into connect_event (link_id, identity, format, event, envelope_id, generated_at, received_at, body)
      select link_id, identity, format, event, envelope_id, generated_at, received_at, body from input
      on conflict (link_id, identity) do nothing
      returning id, link_id, identity, envelope_id
    )
    select fresh.id, fresh.link_id, fresh.identity,
      case when input.imports then (graphile_worker.add_job(
        'import-envelope',
        json_build_object('linkId', fresh.link_id, 'envelopeId', fresh.envelope_id, 'foundBy', 'event'),
        run_at := input.import_at, job_key := 'import:' || fresh.link_id || ':' || fresh.envelope_id,
        priority := ${PRIORITY.event}::int
      )).id end as job_id
    from fresh join input using (link_id, identity)`.execute(db);
  return new Map(rows.map((row) => [`${row.link_id} ${row.identity}`, row.id]));
}

async function recordForwardings(
  db: Kysely<DB>,
  event: ConnectEvent,
  eventId: string | undefined,
  tenant: string | undefined,
): Promise<void> {
  const { envelopeId, forwardings } = event;
  if (eventId === undefined || tenant === undefined || envelopeId === null || forwardings.length === 0)
    return;
  await db
    .insertInto("forwarding")
    .values(
      forwardings.map(({ from, to }, position) => ({
        tenant,
        envelope_id: envelopeId,
        event_id: eventId,
        position,
        from_recipient_id: from.recipientId,
        from_user_id: from.userId,
        from_email: from.email,
        to_recipient_id: to.recipientId,
        to_user_id: to.userId,
        to_email: to.email,
      })),
    )
    .execute();
}

function keyOf(event: ConnectEvent): string {
  return `${event.linkId} ${identityHash(event)}`;
}

/** A hash keeps the index narrow whatever a sender puts into its ids. */
function identityHash(event: ConnectEvent): string {
  return createHash("sha256").update(event.identity).digest("base64url");
}
