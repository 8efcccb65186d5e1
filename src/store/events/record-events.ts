import { hash } from "node:crypto";
import type pg from "pg";
import type { Forwarding } from "../../domain/envelope.ts";
import type { AccountId, EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { linkFlag, PRIORITY } from "../queue/queue.ts";
import { required } from "../rows.ts";

/** A Connect message to record: its parsed fields and its bytes. */
export type ConnectEvent = {
  readonly linkId: LinkId;
  /** Identifies the message at DocuSign; equal for its retries. */
  readonly identity: string;
  readonly format: "json-sim" | "json-aggregate" | "xml";
  readonly event: string;
  readonly envelopeId: EnvelopeId | null;
  /** Null if unknown. An event is foreign if both are known and neither is the link's. */
  readonly accountId: AccountId | null;
  readonly configurationId: string | null;
  readonly generatedAt: Date | null;
  readonly receivedAt: Date;
  /** The stored form of the body; null if it is not stored. */
  readonly body: Uint8Array | null;
  readonly forwardings: readonly Forwarding[];
  /** The import that it asks for: at a moment, or (null) at once by the database's clock. */
  readonly import: { readonly at: Date | null } | null;
};

/** A foreign event is recorded, but concerns neither the account nor a configuration of its link. */
export type Recorded = "recorded" | "foreign" | "repeat" | "no-link";

/** Runs the statement: the pool, or one of its connections within a transaction. */
export type Recording = {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<{ rows: Row[] }>;
};

/**
 * Records events and queues their imports in one commit. The answers stand in the order of the events.
 * Events and jobs are written in a fixed order, so that two batches with the same events cannot deadlock. Bodies received
 * within the same `slotHours` go into the same slot (event-bodies.ts).
 */
export async function recordEvents(
  recording: Recording,
  events: readonly ConnectEvent[],
  slotHours: number,
): Promise<Recorded[]> {
  const keys = events.map(keyOf);
  const unique = new Map(events.map((event, index) => [keys[index] ?? "", event]));
  const sorted = [...unique].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = sorted.map(([key, event]) => ({ ...event, identity: key.slice(key.indexOf(" ") + 1) }));
  const outcomes = await writeEvents(recording, rows, slotHours);
  const answers = new Map(sorted.map(([key], index) => [key, required(outcomes[index])]));
  return keys.map((key) => {
    const answer = required(answers.get(key));
    // If a batch contains an event twice, the second one is a repeat.
    if (answer !== "no-link") answers.set(key, "repeat");
    return answer;
  });
}

/**
 * One statement: one commit and one round trip, whatever it contains. Its name lets each connection plan it only once:
 * planning took longer than writing a lone event (docs/benchmarks.md).
 */
async function writeEvents(
  recording: Recording,
  events: readonly ConnectEvent[],
  slotHours: number,
): Promise<Recorded[]> {
  const { rows } = await recording.query<{ outcome: Recorded }>({
    name: "record-events",
    text: STATEMENT,
    values: [
      JSON.stringify(inputRows(events, slotHours)),
      joinBodies(events),
      JSON.stringify(forwardingRows(events)),
    ],
  });
  return rows.map(({ outcome }) => outcome);
}

/**
 * $1: events, $2: their concatenated bodies, $3: forwardings. Several events about one envelope queue one import at the
 * earliest of their times. Foreign events queue and decide nothing. The link is looked up once for each event: with a
 * join, a plan made while there were few links would scan all of them for every batch.
 */
const STATEMENT = `
  with input as materialized (
    select t.*, (select link from link where link.id = t.link_id and link.state <> 'ended') as link
    from json_to_recordset($1) as t (
      position int, link_id uuid, identity text, format text, event text, envelope_id uuid, account_id uuid,
      configuration_id text, generated_at timestamptz, received_at timestamptz, part int, body_start int, body_length int,
      imports boolean, import_at timestamptz
    )
  ), judged as (
    select input.*, (link).tenant,
      (part % (select count(*) from pg_inherits where inhparent = 'event_body'::regclass))::smallint as slot,
      coalesce(
        account_id <> (link).account_id and configuration_id <> coalesce((link).connect_sent_id, '')
          and configuration_id <> coalesce((link).connect_received_id, ''),
        false
      ) as is_foreign
    from input
  ), fresh as (
    insert into connect_event
      (link_id, identity, format, event, envelope_id, generated_at, received_at, body_slot, is_foreign)
    select link_id, identity, format, event, envelope_id, generated_at, received_at, slot, is_foreign
    from judged where tenant is not null order by position
    on conflict (link_id, identity) do nothing
    returning id, link_id, identity
  ), recorded as (
    select judged.*, fresh.id from judged join fresh using (link_id, identity)
  ), stored as (
    insert into event_body (slot, event_id, received_at, body)
    select slot, id, received_at, substring($2::bytea from body_start for body_length)
    from recorded where slot is not null
  ), forwarded as (
    insert into forwarding (
      tenant, envelope_id, event_id, position,
      from_recipient_id, from_user_id, from_email, to_recipient_id, to_user_id, to_email
    )
    select tenant, envelope_id, id, place,
      from_recipient_id, from_user_id, from_email, to_recipient_id, to_user_id, to_email
    from recorded join json_to_recordset($3) as f (
      position int, place int, from_recipient_id text, from_user_id uuid, from_email text,
      to_recipient_id text, to_user_id uuid, to_email text
    ) using (position)
    where envelope_id is not null and not is_foreign
  ), wanted as (
    select json_agg(json_build_object(
      'identifier', 'import-envelope',
      'payload', json_build_object('linkId', link_id, 'envelopeId', envelope_id, 'foundBy', 'event'),
      'run_at', import_at, 'job_key', 'import:' || link_id || ':' || envelope_id, 'priority', ${PRIORITY.event},
      'flags', array['${linkFlag("")}' || link_id]
    ) order by link_id, envelope_id) as jobs
    from (
      select distinct on (link_id, envelope_id) link_id, envelope_id, import_at
      from recorded where imports and not is_foreign order by link_id, envelope_id, import_at nulls first
    ) as earliest
  )
  select
    case when tenant is null then 'no-link' when fresh.id is null then 'repeat' when is_foreign then 'foreign'
      else 'recorded' end as outcome,
    (select case when jobs is not null then (select count(*) from torikomi_queue.add_jobs(jobs, false)) end from wanted)
  from judged left join fresh using (link_id, identity) order by position`;

const HOUR_MS = 60 * 60 * 1000;

/** JSON, which both sides parse faster than one array per column. PostgreSQL counts from 1. */
function inputRows(events: readonly ConnectEvent[], slotHours: number): object[] {
  const slotMs = slotHours * HOUR_MS;
  let bodyStart = 1;
  return events.map((event, index) => {
    const row = {
      position: index + 1,
      link_id: event.linkId,
      identity: event.identity,
      format: event.format,
      event: event.event,
      envelope_id: event.envelopeId,
      account_id: event.accountId,
      configuration_id: event.configurationId,
      generated_at: event.generatedAt,
      received_at: event.receivedAt,
      part: event.body === null ? null : Math.floor(event.receivedAt.getTime() / slotMs),
      body_start: bodyStart,
      body_length: event.body?.byteLength ?? 0,
      imports: event.import !== null,
      import_at: event.import?.at ?? null,
    };
    bodyStart += row.body_length;
    return row;
  });
}

/** Joins all bodies: PostgreSQL accepts one byte string unchanged, but arrays of them only as text of twice the size. */
function joinBodies(events: readonly ConnectEvent[]): Buffer {
  const bodies = events.flatMap(({ body }) =>
    body === null ? [] : [Buffer.from(body.buffer, body.byteOffset, body.byteLength)],
  );
  return bodies.length === 1 && bodies[0] !== undefined ? bodies[0] : Buffer.concat(bodies);
}

function forwardingRows(events: readonly ConnectEvent[]): object[] {
  return events.flatMap(({ forwardings }, index) =>
    forwardings.map(({ from, to }, place) => ({
      position: index + 1,
      place,
      from_recipient_id: from.recipientId,
      from_user_id: from.userId,
      from_email: from.email,
      to_recipient_id: to.recipientId,
      to_user_id: to.userId,
      to_email: to.email,
    })),
  );
}

function keyOf(event: ConnectEvent): string {
  return `${event.linkId} ${identityHash(event)}`;
}

/** A hash keeps the index narrow, whatever ids a sender uses. */
function identityHash(event: ConnectEvent): string {
  return hash("sha256", event.identity, "base64url");
}
