import { type Kysely, type RawBuilder, sql } from "kysely";
import type { DB } from "./schema.ts";

/** A clock that is set back further is wrong: positions would not follow the time any more. */
const TOLERANCE_MICROS = 5 * 60 * 1_000_000;

/** One row: the feed's last position, the database's clock in the same unit, and whether it is too far behind. */
export const FEED_CLOCK: RawBuilder<unknown> = sql`
  select last, micros, micros < last - ${sql.lit(TOLERANCE_MICROS)} as behind
  from (
    select case when is_called then last_value else last_value - 1 end as last,
      (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros
    from change_sequence
  ) as now`;

/** Returns true while the feed publishes nothing, because the database's clock is wrong. */
export async function isClockBehind(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ behind: boolean }>`select behind from (${FEED_CLOCK}) as clock`.execute(db);
  return rows[0]?.behind === true;
}
