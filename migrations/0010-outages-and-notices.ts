import { type Kysely, sql } from "kysely";

/** All processes know an outage of the document store, and the cause that slows each link. */
export async function up<Schema>(db: Kysely<Schema>): Promise<void> {
  await sql`create table document_store_outage (
    only_row boolean primary key default true check (only_row),
    code text not null,
    since timestamptz(3) not null,
    failures int not null default 1,
    probe_at timestamptz(3) not null,
    ended_at timestamptz(3)
  )`.execute(db);
  await sql`comment on table document_store_outage is
    'one row from the first refused write until an import has stored a document again'`.execute(db);
  await sql`comment on column document_store_outage.ended_at is 'when a probe succeeded; imports run from then on'`.execute(
    db,
  );
  await sql`alter table link add column notice_code text, add column notice_since timestamptz(3)`.execute(db);
  await sql`comment on column link.notice_code is
    'the cause that slows the link, unless another table shows it'`.execute(db);
}
