import { type Kysely, sql } from "kysely";

/** An import gives its entries of the feed their positions in its own commit, if nothing else is being published. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(FUNCTION).execute(db);
}

// The transaction that gets the lock keeps it until its commit. The lock is asked for last, since it cannot be given
// back. The settings are there for the same reason as those of `publish_changes`.
const FUNCTION = `create or replace function reserve_positions(wanted integer) returns bigint language plpgsql
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
  declare
    clock record;
    first bigint;
  begin
    if wanted = 0
      or exists (select from change where sequence is null)
      or exists (select from feed_note where sequence is null)
      or not pg_try_advisory_xact_lock(1953460841)
    then
      return null;
    end if;
    select * into clock from feed_clock();
    if clock.behind then
      return null;
    end if;
    first := greatest(clock.last + 1, clock.micros);
    perform setval('change_sequence', first + wanted - 1);
    return first;
  end $$`;
