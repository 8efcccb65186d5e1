import { type Kysely, sql } from "kysely";

/**
 * A connection plans once what each event and each new entry of the feed run in the database. Such a plan may be older
 * than the rows, so it must use the indexes however small the tables were.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...FEED, ...QUEUE]) await sql.raw(statement).execute(db);
}

const PLANNED_ONCE = [
  "set plan_cache_mode = force_generic_plan",
  "set enable_seqscan = off",
  "set enable_hashjoin = off",
  "set enable_mergejoin = off",
];

/** By default, the four statements of graphile-worker's function are planned for each call. */
const QUEUE = PLANNED_ONCE.map(
  (setting) => `alter function torikomi_queue.add_jobs(json, boolean) ${setting}`,
);

const FEED = [
  // A clock that is set back by more than 5 minutes is wrong: positions would not follow the time any more.
  `create or replace function feed_clock(out last bigint, out micros bigint, out behind boolean)
  language plpgsql as $$
  begin
    select case when is_called then last_value else last_value - 1 end into last from change_sequence;
    micros := extract(epoch from clock_timestamp()) * 1000000;
    behind := micros < last - 5 * 60 * 1000000;
  end $$`,

  // Each statement sees what was committed before it began. Version 0.1 uses the same lock and sequence. That the updates
  // repeat `sequence is null` keeps them on the indexes of waiting rows.
  `create or replace function publish_changes(out behind boolean) language plpgsql ${PLANNED_ONCE.join(" ")} as $$
  declare
    clock record;
    newest bigint;
  begin
    behind := false;
    if not exists (select from change where sequence is null)
      and not exists (select from feed_note where sequence is null)
    then
      return;
    end if;
    perform pg_advisory_xact_lock(1953460841);
    select * into clock from feed_clock();
    behind := clock.behind;
    if behind then
      return;
    end if;
    with waiting as (
      select 'change' as source, id from change where sequence is null
      union all select 'feed_note', id from feed_note where sequence is null
    ), numbered as (
      select source, id, greatest(clock.last + 1, clock.micros) + row_number() over (order by id) - 1 as sequence
      from waiting
    ), changes as (
      update change set sequence = numbered.sequence from numbered
      where source = 'change' and change.id = numbered.id and change.sequence is null
    ), notes as (
      update feed_note set sequence = numbered.sequence from numbered
      where source = 'feed_note' and feed_note.id = numbered.id and feed_note.sequence is null
    )
    select max(sequence) into newest from numbered;
    if newest is not null then
      perform setval('change_sequence', newest);
    end if;
  end $$`,
];
