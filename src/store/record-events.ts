import { createHash } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type pg from "pg";
import type { Forwarding } from "../domain/envelope.ts";
import type { EnvelopeId, LinkId } from "../domain/identifiers.ts";
import type { Database } from "./database.ts";
import { linkFlag, PRIORITY } from "./queue.ts";
import { known } from "./rows.ts";

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

/** What statements are built with, and what runs them: the pool, or one connection of it within a transaction. */
export type Recording = {
  readonly db: Database;
  readonly pool: {
    query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<{ rows: Row[] }>;
  };
};

/**
 * Records events and queues their imports in one commit. The answers stand in the order of the events.
 * Events and jobs are each written in one order everywhere, so that two batches with the same ones cannot deadlock.
 */
export async function recordEvents(
  recording: Recording,
  events: readonly ConnectEvent[],
): Promise<Recorded[]> {
  const keys = events.map(keyOf);
  const unique = new Map(events.map((event, index) => [keys[index] ?? "", event]));
  const sorted = [...unique].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = sorted.map(([key, event]) => ({ ...event, identity: key.slice(key.indexOf(" ") + 1) }));
  const outcomes = await writeEvents(recording, rows);
  const answers = new Map(sorted.map(([key], index) => [key, known(outcomes[index])]));
  return keys.map((key) => {
    const answer = known(answers.get(key));
    // Only the first of two equal events in one batch is fresh; the other is its repeat.
    if (answer === "recorded") answers.set(key, "repeat");
    return answer;
  });
}

/**
 * One statement, which is one commit and one trip to the database whatever it holds. It has a name, so that each
 * connection plans it once: planning took longer than a lone event's writing (docs/benchmarks.md).
 */
async function writeEvents({ db, pool }: Recording, events: readonly ConnectEvent[]): Promise<Recorded[]> {
  const { sql: text, parameters } = statementOf(events).compile(db);
  const { rows } = await pool.query<{ outcome: Recorded }>({
    name: "record-events",
    text,
    values: [...parameters],
  });
  return rows.map(({ outcome }) => outcome);
}

/** Several events about an envelope queue one import, for the soonest of their moments. */
function statementOf(events: readonly ConnectEvent[]): RawBuilder<unknown> {
  return sql`
    with input as (
      select t.*, link.tenant from ${inputOf(events)}
      left join link on link.id = t.link_id and link.state <> 'ended'
    ), fresh as (
      insert into connect_event (link_id, identity, format, event, envelope_id, generated_at, received_at, body)
      select link_id, identity, format, event, envelope_id, generated_at, received_at,
        substring(${joinBodies(events)}::bytea from body_end - body_length + 1 for body_length)
      from input where tenant is not null order by position
      on conflict (link_id, identity) do nothing
      returning id, link_id, identity
    ), recorded as (
      select input.*, fresh.id from input join fresh using (link_id, identity)
    ), forwarded as (
      ${insertForwardings(events)}
    ), wanted as (
      select array(
        select distinct on (link_id, envelope_id) (
          'import-envelope', json_build_object('linkId', link_id, 'envelopeId', envelope_id, 'foundBy', 'event'),
          null, import_at, null, 'import:' || link_id || ':' || envelope_id, ${PRIORITY.event},
          array[${linkFlag("")}::text || link_id]
        )::graphile_worker.job_spec
        from recorded where imports order by link_id, envelope_id, import_at nulls first
      ) as jobs
    )
    select
      case when tenant is null then 'no-link' when fresh.id is null then 'repeat' else 'recorded' end as outcome,
      (select case when cardinality(jobs) > 0 then (select count(*) from graphile_worker.add_jobs(jobs)) end from wanted)
    from input left join fresh using (link_id, identity) order by position`;
}

function inputOf(events: readonly ConnectEvent[]): RawBuilder<unknown> {
  return sql`
    unnest(
      ${events.map((event) => event.linkId)}::uuid[], ${events.map((event) => event.identity)}::text[],
      ${events.map((event) => event.format)}::text[], ${events.map((event) => event.event)}::text[],
      ${events.map((event) => event.envelopeId)}::uuid[], ${events.map((event) => event.generatedAt)}::timestamptz[],
      ${events.map((event) => event.receivedAt)}::timestamptz[], ${bodyEnds(events)}::int[],
      ${events.map((event) => event.body.byteLength)}::int[],
      ${events.map((event) => event.import !== null)}::boolean[], ${events.map((event) => event.import?.at ?? null)}::timestamptz[]
    ) with ordinality as t (
      link_id, identity, format, event, envelope_id, generated_at, received_at, body_end, body_length,
      imports, import_at, position
    )`;
}

/** One body for all: PostgreSQL takes lone bytes as they are, and lists of them only as text, twice as long. */
function joinBodies(events: readonly ConnectEvent[]): Buffer {
  const bodies = events.map(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  return bodies.length === 1 && bodies[0] !== undefined ? bodies[0] : Buffer.concat(bodies);
}

function bodyEnds(events: readonly ConnectEvent[]): number[] {
  let end = 0;
  return events.map(({ body }) => (end += body.byteLength));
}

function insertForwardings(events: readonly ConnectEvent[]): RawBuilder<unknown> {
  return sql`
    insert into forwarding (
      tenant, envelope_id, event_id, position,
      from_recipient_id, from_user_id, from_email, to_recipient_id, to_user_id, to_email
    )
    select tenant, envelope_id, id, place,
      from_recipient_id, from_user_id, from_email, to_recipient_id, to_user_id, to_email
    from recorded join jsonb_to_recordset(${JSON.stringify(events.flatMap(forwardingRows))}::jsonb) as f (
      position int, place int, from_recipient_id text, from_user_id uuid, from_email text,
      to_recipient_id text, to_user_id uuid, to_email text
    ) using (position)
    where envelope_id is not null`;
}

/** Positions count from 1, as PostgreSQL's do. */
function forwardingRows({ forwardings }: ConnectEvent, index: number): object[] {
  return forwardings.map(({ from, to }, place) => ({
    position: index + 1,
    place,
    from_recipient_id: from.recipientId,
    from_user_id: from.userId,
    from_email: from.email,
    to_recipient_id: to.recipientId,
    to_user_id: to.userId,
    to_email: to.email,
  }));
}

function keyOf(event: ConnectEvent): string {
  return `${event.linkId} ${identityHash(event)}`;
}

/** A hash keeps the index narrow whatever a sender puts into its ids. */
function identityHash(event: ConnectEvent): string {
  return createHash("sha256").update(event.identity).digest("base64url");
}
