import { type Kysely, sql } from "kysely";
import type { DB } from "../../src/store/schema.ts";

/** From now on the database takes no new row of the table, as if its disk were full. */
export async function refuseWrites(db: Kysely<DB>, table: keyof DB): Promise<void> {
  await sql`
    create function ${nameOf(table)}() returns trigger language plpgsql as $$ begin raise 'disk full'; end $$`.execute(
    db,
  );
  await sql`
    create trigger ${nameOf(table)} before insert on ${sql.table(table)}
    for each row execute function ${nameOf(table)}()`.execute(db);
}

/** Takes new rows again. */
export async function allowWrites(db: Kysely<DB>, table: keyof DB): Promise<void> {
  await sql`drop function ${nameOf(table)}() cascade`.execute(db);
}

function nameOf(table: string) {
  return sql.id(`refuse_${table}`);
}
