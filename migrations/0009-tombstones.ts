import { type Kysely, sql } from "kysely";
import { changeWithoutBlocking } from "../src/store/schema-changes.ts";

/** The index of a large table is built while the service writes. */
export const withoutTransaction = true;

/** The database notes its tombstones in the document store, and remembers deletions whose rows it lost. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await changeWithoutBlocking(db, STATEMENTS);
  // An interrupted build leaves an invalid index behind.
  await sql.raw("drop index concurrently if exists contract_without_tombstone").execute(db);
  await sql
    .raw(
      `create index concurrently contract_without_tombstone on contract (deleted_at)
       where deleted_at is not null and tombstone_at is null`,
    )
    .execute(db);
}

/** Repeatable: the migration may be interrupted while it builds the index. */
const STATEMENTS = [
  "alter table contract add column if not exists tombstone_at timestamptz(3)",
  `comment on column contract.tombstone_at is 'when its tombstone was written to the document store, or was about to be; set before the deletion is committed'`,
  "alter table link add column if not exists ending_at timestamptz(3)",
  `comment on column link.ending_at is 'the end of the link in its last tombstone; set before that is written'`,

  `create table if not exists lost_deletion (
    id uuid primary key,
    kind text not null check (kind in ('contract', 'link')),
    tenant text not null,
    envelope_id uuid,
    document_id text,
    deleted_at timestamptz(3) not null,
    check ((kind = 'contract') = (envelope_id is not null and document_id is not null))
  )`,
  `comment on table lost_deletion is 'deletions of contracts and links of which a database that was set back has no row; imports consult it'`,
  "create index if not exists lost_deletion_of_envelope on lost_deletion (tenant, envelope_id)",

  `create table if not exists erased_tenant (
    tenant text primary key,
    begun_at timestamptz(3) not null,
    erased_at timestamptz(3)
  )`,
  `comment on table erased_tenant is 'the last erasure of each tenant; begun_at is the moment of its tombstone, erased_at is null while it runs'`,
  // For the function: by default, PostgreSQL would look for tables among temporary ones first, which any role can create.
  "select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)",
  // Runs with its owner's rights: the role of the running service must not delete contracts, the feed or the audit trail.
  `create or replace function erase_tenant_rows(leaving text) returns jsonb
  language plpgsql security definer set search_path from current as $$
  declare
    links constant uuid[] := array(select id from link where tenant = leaving);
    accounts constant uuid[] := array(select account_id from link where tenant = leaving);
    remaining oid[];
    next_table oid;
    affected bigint;
    erased jsonb := '{}';
  begin
    if not exists (select from erased_tenant where tenant = leaving and erased_at is null) then
      raise exception 'no erasure of this tenant is under way';
    end if;
    delete from event_body where event_id in (select id from connect_event where link_id = any(links));
    delete from link_token where link_id = any(links);
    delete from connect_event where link_id = any(links);
    get diagnostics affected = row_count;
    erased := erased || jsonb_build_object('connect_event', affected);
    -- Covers tables of later versions too.
    remaining := array(
      select class.oid from pg_class as class join pg_attribute on attrelid = class.oid
      where relnamespace = (select relnamespace from pg_class where oid = 'erased_tenant'::regclass)
        and relkind in ('r', 'p') and not relispartition and class.oid <> 'erased_tenant'::regclass
        and attname = 'tenant' and not attisdropped
    );
    while cardinality(remaining) > 0 loop
      -- A table that no remaining one refers to.
      select candidate into strict next_table from unnest(remaining) as candidate
      where not exists (
        select from pg_constraint
        where confrelid = candidate and conrelid <> candidate and conrelid = any(remaining)
      ) limit 1;
      execute format('delete from %s where tenant = $1', next_table::regclass) using leaving;
      get diagnostics affected = row_count;
      erased := erased || jsonb_build_object(next_table::regclass::text, affected);
      remaining := array_remove(remaining, next_table);
    end loop;
    delete from account_budget where account_id = any(accounts)
      and not exists (select from link where link.account_id = account_budget.account_id);
    return erased;
  end $$`,
  "revoke execute on function erase_tenant_rows(text) from public",
];
