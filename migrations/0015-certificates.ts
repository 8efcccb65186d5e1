import { type Kysely, sql } from "kysely";
import { changeWithoutBlocking } from "../src/store/schema-changes.ts";

/** Changes a large table, so it must not wait for its lock within a longer transaction. */
export const withoutTransaction = true;

/** Certificates of completion belong to an envelope, and go with the last of its contracts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{
    found: boolean;
  }>`select to_regclass('certificate') is not null as found`.execute(db);
  if (rows[0]?.found !== true) await changeWithoutBlocking(db, STATEMENTS);
}

const STATEMENTS = [
  `create table certificate (
    tenant text not null,
    envelope_id uuid not null,
    key text not null,
    bytes bigint not null,
    sha256 text not null,
    stored_at timestamptz(3) not null,
    deleted_at timestamptz(3),
    erased_at timestamptz(3),
    primary key (tenant, envelope_id)
  )`,
  `comment on table certificate is 'certificates of completion in the document store, which all contracts of their envelope share'`,
  `comment on column certificate.deleted_at is 'when the last contract of the envelope was deleted'`,
  `create index certificate_to_erase on certificate (deleted_at) where deleted_at is not null and erased_at is null`,

  // Version 0.1 deletes contracts too.
  `create function delete_certificate() returns trigger language plpgsql as $$
  begin
    update certificate set deleted_at = coalesce(new.decided_at, clock_timestamp())
      where tenant = new.tenant and envelope_id = new.envelope_id and deleted_at is null;
    return null;
  end $$`,
  `create trigger envelope_deleted after update of state on envelope for each row
    when (new.state = 'deleted' and old.state <> 'deleted') execute function delete_certificate()`,
];
