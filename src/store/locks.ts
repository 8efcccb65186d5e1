import { setImmediate as soon } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import type { DB } from "./schema.ts";

/**
 * Runs the work while this process holds the named advisory lock. Returns null, without running it, if the lock is held
 * already, by this process or by another one. If this process dies, PostgreSQL releases the lock at once.
 */
export async function withLock<T>(db: Kysely<DB>, name: string, work: () => Promise<T>): Promise<T | null> {
  const own = locksOf(db);
  // PostgreSQL would grant it again to the same session.
  if (own.names.has(name)) return null;
  own.names.add(name);
  try {
    const session = await takeLock(own, name);
    if (session === null) return null;
    try {
      return await work();
    } finally {
      await releaseLock(own, session, name);
    }
  } finally {
    own.names.delete(name);
  }
}

/** One connection holds all locks, so that work under a lock never waits for connections that other locks hold. */
type Locks = { readonly db: Kysely<DB>; readonly names: Set<string>; session: Session | null };
type Session = { users: number; readonly ready: Promise<Kysely<DB>>; readonly end: () => void };

const LOCKS = new WeakMap<Kysely<DB>, Locks>();

function locksOf(db: Kysely<DB>): Locks {
  const known = LOCKS.get(db);
  if (known !== undefined) return known;
  const locks = { db, names: new Set<string>(), session: null };
  LOCKS.set(db, locks);
  return locks;
}

/** Returns the session that took the lock, or null if another process holds it. */
async function takeLock(own: Locks, name: string): Promise<Session | null> {
  for (;;) {
    own.session ??= openSession(own.db);
    const { session } = own;
    const isOpened = session.users === 0;
    session.users += 1;
    try {
      const { rows } = await sql<{ got: boolean }>`
        select pg_try_advisory_lock(hashtextextended(${name}, 0)) as got`.execute(await session.ready);
      if (rows[0]?.got === true) return session;
      leave(own, session);
      return null;
    } catch (error) {
      abandon(own, session);
      leave(own, session);
      // The connection of earlier locks may have been lost meanwhile.
      if (isOpened) throw error;
    }
  }
}

async function releaseLock(own: Locks, session: Session, name: string): Promise<void> {
  try {
    await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(await session.ready);
  } catch (error) {
    abandon(own, session);
    throw error;
  } finally {
    leave(own, session);
  }
}

function openSession(db: Kysely<DB>): Session {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const { promise: ready, resolve, reject } = Promise.withResolvers<Kysely<DB>>();
  const held = db.connection().execute(async (session) => {
    resolve(session);
    await ended;
  });
  held.catch(reject);
  return { users: 0, ready, end };
}

/** The pool gets the connection back with the last lock. */
function leave(own: Locks, session: Session): void {
  session.users -= 1;
  if (session.users > 0) return;
  abandon(own, session);
  session.end();
}

/** The next lock opens a new session. */
function abandon(own: Locks, session: Session): void {
  if (own.session === session) own.session = null;
}

/**
 * Runs the work on a session of its own, and releases all locks of the session at the end. Readers of the feed that the
 * work has woken go first.
 */
export async function withSession<T>(db: Kysely<DB>, work: (session: Kysely<DB>) => Promise<T>): Promise<T> {
  return await db.connection().execute(async (session) => {
    try {
      return await work(session);
    } finally {
      await soon();
      await sql`select pg_advisory_unlock_all()`.execute(session);
    }
  });
}

/** Runs the work while the session holds the named advisory lock. Waits until no other session holds it. */
export async function inTurn<T>(session: Kysely<DB>, name: string, work: () => Promise<T>): Promise<T> {
  await sql`select pg_advisory_lock(hashtextextended(${name}, 0))`.execute(session);
  try {
    return await work();
  } finally {
    await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(session);
  }
}
