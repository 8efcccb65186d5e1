import { type Kysely, sql } from "kysely";

/** Readers may cause only so many calls to DocuSign in an hour. Both tables hold rows of the last hours only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table lookup_budget (
    tenant text not null,
    hour timestamptz(3) not null,
    calls int not null,
    primary key (tenant, hour)
  )`.execute(db);
  await sql`create table lookup_miss (
    link_id uuid not null,
    envelope_id uuid not null,
    tenant text not null,
    missed_at timestamptz(3) not null,
    primary key (link_id, envelope_id)
  )`.execute(db);
}
