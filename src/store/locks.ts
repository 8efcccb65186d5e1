import { type Kysely, sql } from "kysely";
import type { DB } from "./schema.ts";

/**
 * Runs the work while this session holds the named advisory lock. Returns null, without running it, if a different session
 * holds the lock. If this process dies, PostgreSQL releases the lock at once.
 */
export async function withLock<T>(db: Kysely<DB>, name: string, work: () => Promise<T>): Promise<T | null> {
  return await db.connection().execute(async (session) => {
    const { rows } = await sql<{
      got: boolean;
    }>`select pg_try_advisory_lock(hashtextextended(${name}, 0)) as got`.execute(session);
    if (rows[0]?.got !== true) return null;
    try {
      return await work();
    } finally {
      await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(session);
    }
  });
}

/** Runs the work while this session holds the named advisory lock. Waits until no other session holds it. */
export async function inTurn<T>(
  db: Kysely<DB>,
  name: string,
  work: (session: Kysely<DB>) => Promise<T>,
): Promise<T> {
  return await db.connection().execute(async (session) => {
    await sql`select pg_advisory_lock(hashtextextended(${name}, 0))`.execute(session);
    try {
      return await work(session);
    } finally {
      await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(session);
    }
  });
}
