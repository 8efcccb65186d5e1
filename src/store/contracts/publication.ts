import { type Kysely, sql } from "kysely";
import { FEED_CLOCK } from "../feed-clock.ts";
import type { DB } from "../schema.ts";

/** `clock-behind`: nothing was published, because the database's clock is wrong. */
export type Publication = "current" | "clock-behind";

const PUBLICATION_LOCK = 0x746f_7269;

/**
 * Gives every committed entry of the feed its position. Publications run one at a time, see everything that is committed,
 * and are the only source of positions. So no entry appears before one that a reader has already seen.
 *
 * A position is the time in microseconds since 1970 by the database's clock, and larger than the last one. So it is never
 * reused, even if the database is set back to an earlier state.
 */
export async function publishChanges(db: Kysely<DB>): Promise<Publication> {
  const { rows } = await sql`
    select 1 from change where sequence is null
    union all select 1 from feed_note where sequence is null limit 1`.execute(db);
  if (rows.length === 0) return "current";
  return await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${PUBLICATION_LOCK})`.execute(tx);
    return await assignPositions(tx);
  });
}

/** Version 0.1 draws from the same sequence under the same lock. */
async function assignPositions(tx: Kysely<DB>): Promise<Publication> {
  const { rows } = await sql<{ behind: boolean }>`
    with clock as (${FEED_CLOCK}), waiting as (
      select 'change' as source, id from change where sequence is null
      union all select 'feed_note', id from feed_note where sequence is null
    ), numbered as (
      select source, id, greatest(last + 1, micros) + row_number() over (order by id) - 1 as sequence
      from waiting, clock where not behind
    ), changes as (
      update change set sequence = numbered.sequence from numbered
      where source = 'change' and change.id = numbered.id
    ), notes as (
      update feed_note set sequence = numbered.sequence from numbered
      where source = 'feed_note' and feed_note.id = numbered.id
    )
    select behind, (select setval('change_sequence', max(sequence)) from numbered having count(*) > 0)
    from clock`.execute(tx);
  return rows[0]?.behind === true ? "clock-behind" : "current";
}
