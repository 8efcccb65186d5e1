import { type Kysely, sql } from "kysely";
import type { Address } from "../address.ts";
import type { DB } from "../schema.ts";
import { keepSession, type Query, type SessionOptions } from "../session.ts";

/** Session-level locks that say which worker pools of this process are alive. */
export type WorkerLocks = {
  /** Holds the pool's lock from soon after now, through lost connections, until it is released. */
  hold(pool: string): void;
  release(pool: string): void;
  /** Gives all locks up and ends the connection. */
  close(): Promise<void>;
};

export type WorkerLockOptions = Pick<SessionOptions, "onLost" | "reconnectMs" | "pingMs">;

/**
 * Opens the one connection that holds the locks of this process's worker pools. PostgreSQL frees them as soon as the
 * connection ends, so when the process is killed; when its whole machine vanishes, some 30 seconds later.
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

/** Takes the locks that are wanted and not held, and frees the others. */
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

/** Pools that have jobs in hand but whose lock nobody holds. */
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
 * Gives back the jobs and queues that the pools have in hand. A job that was queued anew while it ran has given its key
 * to its successor and would not be run again: it is removed, since it would look like one that was given up.
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
