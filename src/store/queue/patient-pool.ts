import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { isConnectionLost, serializationFailure } from "../database-errors.ts";

const AGAIN_MS = 500;

/**
 * The pool as graphile-worker 0.18 needs it. That does not await what it writes about a job that has ended, so where the
 * database is lost in that moment the process would end and leave the job locked. Through this pool a connection is
 * tried for until there is one, or until `impatient` is aborted; and a connection that is lost under a statement is told by
 * a code after which graphile-worker repeats what it wrote, which does no harm twice.
 */
export function patientPool(pool: pg.Pool, impatient: AbortSignal): pg.Pool {
  const connect: PatientConnect = (callback) =>
    callback === undefined ? connectPatiently(pool, impatient) : pool.connect(callback);
  return new Proxy(pool, {
    get: (target, name): unknown => (name === "connect" ? connect : Reflect.get(target, name, target)),
  });
}

type PatientConnect = (callback?: Parameters<pg.Pool["connect"]>[0]) => Promise<pg.PoolClient> | void;

async function connectPatiently(pool: pg.Pool, impatient: AbortSignal): Promise<pg.PoolClient> {
  for (;;) {
    try {
      return namingLosses(await pool.connect());
    } catch (error) {
      if (impatient.aborted) throw error;
      await sleep(AGAIN_MS, undefined, { signal: impatient }).catch(() => {});
    }
  }
}

function namingLosses(client: pg.PoolClient): pg.PoolClient {
  const query = async (...args: [pg.QueryConfig]): Promise<pg.QueryResult> => {
    try {
      return await client.query(...args);
    } catch (error) {
      // graphile-worker repeats it within seconds.
      throw isConnectionLost(error) ? serializationFailure("the connection was lost", error) : error;
    }
  };
  return new Proxy(client, {
    get: (target, name): unknown => (name === "query" ? query : Reflect.get(target, name, target)),
  });
}
