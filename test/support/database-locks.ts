import { sql } from "kysely";
import type { World } from "./world.ts";

/** True if a session of the database waits for a lock of a different session, with a statement about this table if given. */
export async function isWaitingForLock(world: World, table = ""): Promise<boolean> {
  const { rows } = await sql`
    select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and strpos(query, ${table}) > 0`.execute(
    world.service.foundation.working.db,
  );
  return rows.length > 0;
}
