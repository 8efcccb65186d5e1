import { type Kysely, sql } from "kysely";
import type { Address } from "../address.ts";
import type { DB } from "../schema.ts";
import { keepSession, type Query, type SessionOptions } from "../session.ts";

/** Session-level advisory locks that show which worker pools of this process are alive. */
export type WorkerLocks = {
  /** Takes the pool's lock soon, and again after lost connections, until it is released. */
  hold(pool: string): void;
  release(pool: string): void;
  /** Releases all locks and ends the connection. */
  close(): Promise<void>;
};

export type WorkerLockOptions = Pick<SessionOptions, "onLost" | "reconnectMs" | "pingMs">;

/**
 * Opens the connection that holds the locks of this process's worker pools. PostgreSQL releases them when the connection
 * ends: at once if the process is killed, some 30 seconds later if its machine vanishes.
 */
export function openWorkerLocks(address: Address, options: WorkerLockOptions = {}): WorkerLocks {
  const pools = new Set<string>();
  const session = keepSession(address, {
    applicationName: "torikomi worker lock",
    setUp: () => {
      const held = new Set<string>();
      return async (query) => await holdAll(query, pools, held);
    },
    ...options,
  });
  return {
    hold(pool) {
      pools.add(pool);
      session.refresh();
    },
    release(pool) {
      pools.delete(pool);
      session.refresh();
    },
    close: session.close,
  };
}

/** Takes the wanted locks that are not held yet, and releases the others. */
async function holdAll(query: Query, wanted: ReadonlySet<string>, held: Set<string>): Promise<void> {
  for (const pool of wanted) {
    if (held.has(pool)) continue;
    await query("select pg_advisory_lock(hashtextextended($1, 0))", [lockName(pool)]);
    held.add(pool);
  }
  for (const pool of held) {
    if (wanted.has(pool)) continue;
    await query("select pg_advisory_unlock(hashtextextended($1, 0))", [lockName(pool)]);
    held.delete(pool);
  }
}

/** Returns the pools that have locked jobs but whose advisory lock is not held. */
export async function listUnheldPools(db: Kysely<DB>): Promise<string[]> {
  const { rows } = await sql<{ pool: string }>`
    with busy as (
      select locked_by as pool, hashtextextended(${LOCK_PREFIX} || locked_by, 0) as key
      from graphile_worker.jobs where locked_by is not null group by locked_by
    ), held as (
      select (classid::bigint << 32) | objid::bigint as key from pg_locks
      where locktype = 'advisory' and objsubid = 1 and granted
        and database = (select oid from pg_database where datname = current_database())
    )
    select pool from busy where not exists (select from held where held.key = busy.key) order by pool`.execute(
    db,
  );
  return rows.map((row) => row.pool);
}

/**
 * Unlocks the jobs and queues of the pools. A job that was queued again while it ran has passed its key to its successor
 * and would not run again: it is removed, since it would look like a failed job.
 */
export async function unlockPools(db: Kysely<DB>, pools: readonly string[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`
      delete from graphile_worker._private_jobs
      where locked_by = any(${[...pools]}::text[]) and key is null and attempts >= max_attempts`.execute(tx);
    await sql`select graphile_worker.force_unlock_workers(${[...pools]}::text[])`.execute(tx);
  });
}

const LOCK_PREFIX = "worker pool ";

function lockName(pool: string): string {
  return `${LOCK_PREFIX}${pool}`;
}
