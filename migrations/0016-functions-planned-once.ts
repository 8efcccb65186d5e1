import { type Kysely, sql } from "kysely";

/**
 * What each event runs in the database, with plans that a connection makes once. Such a
 * plan may be older than the rows, so it must use the indexes however small the tables were.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of QUEUE) await sql.raw(statement).execute(db);
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
