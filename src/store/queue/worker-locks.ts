import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import pg from "pg";
import type { DB } from "../schema.ts";

/** Session-level locks that say which worker pools of this process are alive. */
export type WorkerLocks = {
  /** Holds the pool's lock from soon after now, through lost connections, until it is released. */
  hold(pool: string): void;
  release(pool: string): void;
  /** Gives all locks up and ends the connection. */
  close(): Promise<void>;
};

export type WorkerLockOptions = {
  /** Told when the locks are lost; they are taken again as soon as the database answers. */
  readonly onLost?: (error: Error) => void;
  readonly reconnectMs?: number;
  readonly pingMs?: number;
};

const RECONNECT_MS = 500;
const PING_MS = 10_000;
const QUERY_TIMEOUT_MS = 5_000;
const FAREWELL_MS = 1_000;

/**
 * Opens the one connection that holds the locks of this process's worker pools. PostgreSQL frees them as soon as the
 * connection ends, so when the process is killed; when its whole machine vanishes, some 30 seconds later.
 * Needs sessions of its own: a pooler in transaction mode would give the locks to somebody else.
 */
export function openWorkerLocks(connectionString: string, options: WorkerLockOptions = {}): WorkerLocks {
  const pools = new Set<string>();
  const closing = new AbortController();
  let session: Session | null = null;

  async function keep(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await using opened = await openSession(connectionString);
        session = opened;
        for (const pool of pools) await lock(opened, pool);
        await watch(opened, options.pingMs ?? PING_MS, closing.signal);
      } catch (error) {
        if (error instanceof Error && !closing.signal.aborted) options.onLost?.(error);
      } finally {
        session = null;
      }
      await pause(options.reconnectMs ?? RECONNECT_MS, closing.signal);
    }
  }

  const kept = keep();
  // A session that breaks here is noticed by `keep`, which takes every lock of `pools` anew.
  const quietly = (query: Promise<unknown> | undefined): void => void query?.catch(() => {});
  return {
    hold(pool) {
      pools.add(pool);
      quietly(session === null ? undefined : lock(session, pool));
    },
    release(pool) {
      pools.delete(pool);
      quietly(session?.query("select pg_advisory_unlock(hashtextextended($1, 0))", [lockName(pool)]));
    },
    async close() {
      closing.abort();
      await kept;
    },
  };
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

type Session = AsyncDisposable & {
  /** Questions are asked one after the other: pg will refuse them while another is under way. */
  query(text: string, values?: string[]): Promise<unknown>;
  onEnd(told: () => void): void;
};

async function openSession(connectionString: string): Promise<Session> {
  const client = new pg.Client({
    connectionString,
    application_name: "torikomi worker lock",
    keepAlive: true,
    connectionTimeoutMillis: QUERY_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  // Reported by the query that fails; without a listener a lost connection would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    // The server's side of the connection: by default it would believe in a vanished machine for two hours.
    await client.query("set tcp_keepalives_idle = 15");
    await client.query("set tcp_keepalives_interval = 5");
    await client.query("set tcp_keepalives_count = 3");
    return {
      query: inTurn(client),
      onEnd: (told) => void client.once("end", told),
      [Symbol.asyncDispose]: async () => await end(client),
    };
  } catch (error) {
    await end(client);
    throw error;
  }
}

function inTurn(client: pg.Client): Session["query"] {
  let last: Promise<unknown> = Promise.resolve();
  return async (text, values) => {
    const asked = last.then(async () => await client.query(text, values));
    last = asked.catch(() => {});
    return await asked;
  };
}

/** A farewell that a broken connection never answers is not waited for. */
async function end(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(FAREWELL_MS, undefined, { ref: false })]);
}

/** A lock that this session holds already is held twice, which does no harm: the session's end frees both. */
async function lock(session: Session, pool: string): Promise<void> {
  await session.query("select pg_advisory_lock(hashtextextended($1, 0))", [lockName(pool)]);
}

/** Returns when closing; throws when the connection is lost. */
async function watch(session: Session, pingMs: number, closing: AbortSignal): Promise<void> {
  const lost = new AbortController();
  session.onEnd(() => lost.abort(new Error("the connection that holds the worker locks was lost")));
  while (!closing.aborted) {
    await pause(pingMs, AbortSignal.any([closing, lost.signal]));
    lost.signal.throwIfAborted();
    if (!closing.aborted) await session.query("select 1");
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
