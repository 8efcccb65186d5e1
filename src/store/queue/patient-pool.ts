import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { isStatementWrong } from "../database-errors.ts";

export type Patience = {
  /** Aborting it stops all repetitions. */
  readonly signal: AbortSignal;
  /** Called for each failed statement that will be repeated. */
  readonly onRepeat?: (error: unknown) => void;
};

const AGAIN_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/**
 * A pool for graphile-worker 0.18, which ends all workers and leaves the job locked if its write about a finished job
 * fails. This pool waits for a connection. It repeats a failed statement on a different connection until it succeeds,
 * unless the statement itself is wrong. The queue's statements are idempotent: each is independent and names its jobs.
 */
export function patientPool(pool: pg.Pool, patience: Patience): pg.Pool {
  const connect: Connect = (callback) =>
    callback === undefined ? connectPatiently(pool, patience) : pool.connect(callback);
  return new Proxy(pool, {
    get: (target, name): unknown => (name === "connect" ? connect : Reflect.get(target, name, target)),
  });
}

type Connect = (callback?: Parameters<pg.Pool["connect"]>[0]) => Promise<pg.PoolClient> | void;

async function connectPatiently(pool: pg.Pool, patience: Patience): Promise<pg.PoolClient> {
  let client: pg.PoolClient | null = await take(pool, patience);
  const first = client;
  const query = async (...args: [pg.QueryConfig]): Promise<pg.QueryResult> => {
    for (let failures = 0; ; failures += 1) {
      client ??= await take(pool, patience);
      try {
        return await client.query(...args);
      } catch (error) {
        if (patience.signal.aborted || isStatementWrong(error) || isInTransaction(client)) throw error;
        patience.onRepeat?.(error);
        client.release(true);
        client = null;
        await pause(Math.min(AGAIN_MS * 2 ** failures, LONGEST_PAUSE_MS), patience);
      }
    }
  };
  const release: pg.PoolClient["release"] = (error) => client?.release(error);
  return new Proxy(first, {
    get(target, name): unknown {
      if (name === "query") return query;
      return name === "release" ? release : Reflect.get(target, name, target);
    },
  });
}

/** A lost connection loses the earlier statements of its transaction. */
function isInTransaction(client: pg.PoolClient): boolean {
  return client.getTransactionStatus() !== "I";
}

async function take(pool: pg.Pool, patience: Patience): Promise<pg.PoolClient> {
  for (;;) {
    try {
      return await pool.connect();
    } catch (error) {
      if (patience.signal.aborted) throw error;
      await pause(AGAIN_MS, patience);
    }
  }
}

async function pause(ms: number, { signal }: Patience): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
