import { type Kysely, sql } from "kysely";
import { changeWithoutBlocking } from "../src/store/schema-changes.ts";

/** Ends with indexes of large tables, which are built while the service writes. */
export const withoutTransaction = true;

/**
 * The feed's positions come from the clock; it gets entries of links and of restored databases; and the names of deleted
 * contracts leave it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await refuseReservedTenant(db);
  if (!(await isPrepared(db))) await changeWithoutBlocking(db, STATEMENTS);
  for (const [name, rows] of INDEXES) {
    // An interrupted build leaves an invalid index behind.
    await sql.raw(`drop index concurrently if exists ${name}`).execute(db);
    await sql.raw(`create index concurrently ${name} on ${rows}`).execute(db);
  }
}

const TENANT_TABLES = [
  "audit",
  "cabinet_group",
  "contract",
  "envelope",
  "forwarding",
  "link",
  "linking",
  "page_session",
  "reconciliation",
  "stored_document",
];

/** A service token names all tenants by `*`. */
async function refuseReservedTenant(db: Kysely<unknown>): Promise<void> {
  for (const table of TENANT_TABLES) {
    const { rows } = await sql`select from ${sql.table(table)} where tenant = '*' limit 1`.execute(db);
    if (rows.length > 0) {
      throw new Error(
        `table ${table} has rows of a tenant named *, which now means all tenants: rename it first`,
      );
    }
  }
}

async function isPrepared(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql<{
    found: boolean;
  }>`select to_regclass('feed_note') is not null as found`.execute(db);
  return rows[0]?.found === true;
}

const STATEMENTS = [
  `alter table cabinet_group add constraint cabinet_group_tenant check (tenant <> '*')`,
  `alter table contract add column names_erased_at timestamptz(3)`,
  `comment on column contract.names_erased_at is 'when its names left the feed, 30 days after its deletion'`,

  `create table feed_note (
    id bigint primary key default nextval('change_id_seq'),
    tenant text not null,
    type text not null check (type in ('link', 'restored')),
    note jsonb not null,
    recorded_at timestamptz(3) not null default clock_timestamp(),
    sequence bigint unique
  )`,
  `comment on table feed_note is 'entries of the feed that version 0.1 does not read; in one order with table change'`,
  `comment on column feed_note.id is 'from the sequence of change.id, so that both tables are published in the order of their writes'`,
  `create index feed_note_unpublished on feed_note (id) where sequence is null`,
  `create index feed_note_feed on feed_note (tenant, sequence) where sequence is not null`,
  `create unique index feed_note_restored_once on feed_note (tenant, (note ->> 'since')) where type = 'restored'`,

  // Version 0.1 writes these entries too. Links change rarely, so these notifications delay no other commit.
  `create function announce_feed_note() returns trigger language plpgsql as $$
  begin
    perform pg_notify('torikomi_feed_notes', new.type || ' ' || new.tenant);
    return null;
  end $$`,
  `create trigger feed_note_announced after insert on feed_note
    for each row execute function announce_feed_note()`,

  // By name, so that columns of later migrations count from their first day.
  `create function note_link() returns trigger language plpgsql as $$
  declare
    facts constant text[] := array[
      'state', 'cause', 'group_id', 'ended_at', 'paused_at', 'start_date', 'certificates'
    ];
    now_is constant jsonb := to_jsonb(new);
  begin
    if tg_op = 'UPDATE' and not exists (
      select from unnest(facts) as fact where now_is -> fact is distinct from to_jsonb(old) -> fact
    ) then
      return null;
    end if;
    insert into feed_note (tenant, type, note) values (new.tenant, 'link', jsonb_build_object(
      'id', new.id,
      'state', case when new.state = 'active' and now_is ->> 'paused_at' is not null then 'paused' else new.state end,
      'cause', case when new.state = 'error' then new.cause end,
      'groupId', new.group_id,
      'endedAt', new.ended_at
    ));
    return null;
  end $$`,
  `create trigger link_noted after insert or update on link for each row execute function note_link()`,
  `insert into feed_note (tenant, type, note)
    select tenant, 'link', jsonb_build_object('id', id, 'state', state, 'cause', case when state = 'error' then cause end,
      'groupId', group_id, 'endedAt', ended_at)
    from link order by linked_at, id`,

  // Version 0.1 counts on from here.
  `select setval('change_sequence',
    greatest(nextval('change_sequence'), (extract(epoch from clock_timestamp()) * 1000000)::bigint))`,
];

const INDEXES = [
  ["change_deletions", "change (sequence) where type = 'deleted' and sequence is not null"],
  ["change_deletions_of_tenant", "change (tenant, sequence) where type = 'deleted' and sequence is not null"],
  ["contract_to_unname", "contract (deleted_at) where deleted_at is not null and names_erased_at is null"],
] as const;
