import { type Kysely, sql } from "kysely";
import { changeWithoutBlocking } from "../src/store/schema-changes.ts";

/** Ends with an index of a large table, which is built while the service writes. */
export const withoutTransaction = true;

/**
 * Bodies of events go into a ring of day partitions (store/events/event-bodies), so that old ones are truncated instead
 * of deleted. Events that concern a different account are marked. Forwardings outlive their events.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await changeWithoutBlocking(db, STATEMENTS);
  // An interrupted build leaves an invalid index behind.
  await sql`drop index concurrently if exists connect_event_completions`.execute(db);
  await sql`create index concurrently connect_event_completions on connect_event (received_at)
    where event = 'envelope-completed'`.execute(db);
}

/** Repeatable, since an interrupted build of the index repeats them. */
const STATEMENTS = [
  `alter table connect_event
    add column if not exists body_slot smallint,
    add column if not exists is_foreign boolean not null default false`,
  `comment on column connect_event.body is 'written by version 0.1; newer bodies are in event_body'`,
  `comment on column connect_event.body_slot is 'slot of its row in event_body, which is gone after the retention; null without a body'`,
  `comment on column connect_event.is_foreign is 'neither account nor configuration are those of the link: it decides nothing'`,
  `alter table forwarding drop constraint if exists forwarding_event_id_fkey`,

  `create schema if not exists event_bodies`,
  `comment on schema event_bodies is 'the partitions of event_body; torikomi migrate adds them'`,
  `create table if not exists event_body (
    slot smallint not null,
    event_id bigint not null,
    received_at timestamptz(3) not null,
    body bytea not null
  ) partition by list (slot)`,
  `comment on table event_body is 'bodies of events without the contents of documents, in a ring of day partitions'`,
  `create index if not exists event_body_by_receipt on event_body (received_at)`,
];
