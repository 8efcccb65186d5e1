import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";

/** Returns the server's version as text and as a number: 150004 is 15.4. */
export async function readServerVersion(db: Kysely<DB>): Promise<{ name: string; number: number }> {
  const { rows } = await sql<{ name: string; number: number }>`
    select current_setting('server_version') as name, current_setting('server_version_num')::int as number`.execute(
    db,
  );
  if (rows[0] === undefined) throw new Error("the database does not say its version");
  return rows[0];
}

/** Returns true if the queue's schema exists. */
export async function hasQueueSchema(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass('graphile_worker.jobs') is not null as found`.execute(db);
  return rows[0]?.found === true;
}
