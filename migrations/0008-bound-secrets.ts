import { type Kysely, sql } from "kysely";

/** Each statement is its own transaction, so that no table waits locked until another one can be locked. */
export const withoutTransaction = true;

/**
 * Columns for secrets that are bound to their row. Version 0.1 reads and writes the old columns. It stores ID tokens in
 * plain text; those of running sessions are removed, and with them only the hint at sign-out.
 */
export async function up<Schema>(db: Kysely<Schema>): Promise<void> {
  for (const statement of STATEMENTS) await withShortLocks(db, statement);
}

const STATEMENTS = [
  `alter table link_token
    add column if not exists bound_refresh_token text,
    add column if not exists bound_access_token text,
    add column if not exists bound_at timestamptz(3)`,
  `alter table linking add column if not exists bound_code_verifier text`,
  `alter table page_session
    add column if not exists sealed_id_token text,
    add column if not exists refresh_token text,
    add column if not exists verified_at timestamptz(3)`,
  `alter table sign_in add column if not exists confirms bytea`,
  `update page_session set id_token = null where id_token is not null`,
  `comment on column link_token.bound_at is 'the bound tokens belong to the refresh at this time; they are outdated if it is not renewed_at'`,
  `comment on column page_session.id_token is 'only version 0.1 writes it'`,
  `comment on column page_session.csrf_token is 'only version 0.1 accepts it in sessions that have verified_at'`,
  `comment on column page_session.verified_at is 'when the issuer last confirmed tenant and role; null in sessions of version 0.1'`,
  `comment on column sign_in.confirms is 'the session whose user the issuer is asked about again; null for a new sign-in'`,
];

const LOCK_MS = 50;
const PAUSE_S = 0.05;
/** PostgreSQL's `lock_not_available`. */
const NOT_AVAILABLE = "55P03";

/** Gives up a lock that is not available at once, and tries again: writers must not queue behind it. */
async function withShortLocks<Schema>(db: Kysely<Schema>, statement: string): Promise<void> {
  await sql`set lock_timeout = ${sql.lit(LOCK_MS)}`.execute(db);
  try {
    while (!(await isDone(db, statement))) await sql`select pg_sleep(${PAUSE_S})`.execute(db);
  } finally {
    await sql`reset lock_timeout`.execute(db);
  }
}

async function isDone<Schema>(db: Kysely<Schema>, statement: string): Promise<boolean> {
  try {
    await sql.raw(statement).execute(db);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === NOT_AVAILABLE) return false;
    throw error;
  }
}
