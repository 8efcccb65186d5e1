import { sql } from "kysely";
import pg from "pg";
import type { Database } from "../../../src/store/database.ts";
import { listUnheldPools } from "../../../src/store/queue/worker-locks.ts";

/** Connections that torikomi's processes hold, by what they call themselves. */
export async function countConnections(db: Database): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and application_name like 'torikomi%' and application_name <> ${TRIALS}`.execute(
    db,
  );
  return Number(rows[0]?.count);
}

/** Connections that a pool should have closed by now, as it keeps idle ones for ten seconds: somebody never gave them back. */
export async function countLeaked(db: Database): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and application_name in ('torikomi serving', 'torikomi working')
      and state like 'idle%' and state_change < clock_timestamp() - interval '12 seconds' and query not ilike 'listen%'`.execute(
    db,
  );
  return Number(rows[0]?.count);
}

/** Application name of the trials' own connections. */
export const TRIALS = "torikomi trials";

/** Transactions that have stood open for longer than a few seconds. */
export async function countOldTransactions(db: Database): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and xact_start < clock_timestamp() - interval '5 seconds'
      and application_name <> ${TRIALS}`.execute(db);
  return Number(rows[0]?.count);
}

/** Jobs that are locked by a worker that is dead, or have been locked for two minutes. */
export async function countStuckJobs(db: Database): Promise<number> {
  const dead = await listUnheldPools(db);
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from graphile_worker.jobs
    where locked_by = any(${dead}::text[]) or locked_at < now() - interval '2 minutes'`.execute(db);
  return Number(rows[0]?.count);
}

/** Cuts every connection of torikomi's processes. */
export async function cutConnections(db: Database): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'torikomi%' and pid <> pg_backend_pid()
      and application_name <> ${TRIALS}`.execute(db);
}

/** True if the server lets somebody in. */
export async function canConnect(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
