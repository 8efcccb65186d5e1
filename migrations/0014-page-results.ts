import { type Kysely, sql } from "kysely";

/** The page shows the outcome of a change once: a session keeps it until then. */
export async function up<Schema>(db: Kysely<Schema>): Promise<void> {
  await sql`alter table page_session add column if not exists result text`.execute(db);
  await sql`comment on column page_session.result is 'outcome of the last change, until the page has shown it'`.execute(
    db,
  );
}
