import { type Kysely, sql } from "kysely";
import type { DB } from "./schema.ts";

/** Returns true while the feed publishes nothing, because the database's clock is wrong. */
export async function isClockBehind(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ behind: boolean }>`select behind from feed_clock()`.execute(db);
  return rows[0]?.behind === true;
}
