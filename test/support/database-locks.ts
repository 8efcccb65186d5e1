import { sql } from "kysely";
import type { World } from "./world.ts";

/** Whether somebody in the world's database waits for somebody else there. */
export async function isWaitingForLock(world: World): Promise<boolean> {
  const { rows } = await sql`
    select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
    world.service.foundation.working.db,
  );
  return rows.length > 0;
}
