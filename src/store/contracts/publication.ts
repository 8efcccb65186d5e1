import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";

/** `clock-behind`: nothing was published, because the database's clock is wrong. */
export type Publication = "current" | "clock-behind";

/**
 * Gives every committed entry of the feed its position. Publications run one at a time and see everything that is
 * committed. Only they give positions, and imports that hold their lock until the commit. So no entry appears before one
 * that a reader has already seen.
 *
 * A position is the time in microseconds since 1970 by the database's clock, and larger than the last one. So it is never
 * reused, even if the database is set back to an earlier state. A function does it in one round trip (migration 0016).
 */
export async function publishChanges(db: Kysely<DB>): Promise<Publication> {
  const { rows } = await sql<{ behind: boolean }>`select behind from publish_changes()`.execute(db);
  return rows[0]?.behind === true ? "clock-behind" : "current";
}
