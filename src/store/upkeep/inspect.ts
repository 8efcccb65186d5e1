import { type Kysely, sql } from "kysely";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";

/** Returns the server's version as text and as a number: 150004 is 15.4. */
export async function readServerVersion(db: Kysely<DB>): Promise<{ name: string; number: number }> {
  const { rows } = await sql<{ name: string; number: number }>`
    select current_setting('server_version') as name, current_setting('server_version_num')::int as number`.execute(
    db,
  );
  if (rows[0] === undefined) throw new Error("the database does not say its version");
  return rows[0];
}

/** Returns true if the queue's schema exists. */
export async function hasQueueSchema(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass('graphile_worker.jobs') is not null as found`.execute(db);
  return rows[0]?.found === true;
}

/** Returns true if the server is a standby, which accepts no writes. */
export async function isStandby(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ standby: boolean }>`select pg_is_in_recovery() as standby`.execute(db);
  return rows[0]?.standby === true;
}

/**
 * Returns false if a pooler in transaction mode is in between. It lends a session for one transaction, so two
 * connections share one, or a connection moves to a different one.
 */
export async function keepsSessions(db: Kysely<DB>): Promise<boolean> {
  return await db.connection().execute(async (one) => {
    const before = await readSession(one);
    return await db.transaction().execute(async (other) => {
      const between = await readSession(other);
      return between !== before && (await readSession(one)) === before;
    });
  });
}

async function readSession(db: Kysely<DB>): Promise<number | undefined> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid;
}

/** Returns the server's time. */
export async function readClock(db: Kysely<DB>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  return required(rows[0]).now;
}

/** Returns the role of the session, and if it can do more than serving and working need. */
export async function readRole(db: Kysely<DB>): Promise<{ name: string; mayChangeSchema: boolean }> {
  const { rows } = await sql<{ name: string; mayChangeSchema: boolean }>`
    select current_user as name, rolsuper or rolbypassrls
      or has_schema_privilege(current_schema(), 'CREATE')
      or coalesce(pg_has_role((select relowner from pg_class where oid = to_regclass('link')), 'usage'), false)
      as "mayChangeSchema"
    from pg_roles
    where rolname = current_user`.execute(db);
  return required(rows[0]);
}
