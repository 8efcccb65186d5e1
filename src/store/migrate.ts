import * as fs from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Kysely, sql } from "kysely";
import { FileMigrationProvider, type Migration, Migrator } from "kysely/migration";
import { isLockTimeout, isUnavailable } from "./database-errors.ts";
import { checkRuntimeRole, grantRuntimeRole, openNewTables } from "./runtime-role.ts";
import type { DB } from "./schema.ts";

/** A newer program has migrated the database; this one must not change it. */
export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";
  readonly unknown: readonly string[];

  constructor(unknown: readonly string[]) {
    super(
      `the database holds migrations this program does not know: ${unknown.join(", ")}; run the newer program`,
    );
    this.unknown = unknown;
  }
}

/**
 * Waits for a database that does not answer yet. Throws the last error when the time is over, and any other error at once.
 * Calls `onWait` with the first cause.
 */
export async function waitForAnswer(
  db: Kysely<DB>,
  { waitMs, onWait }: { waitMs: number; onWait: (cause: Error) => void },
): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await sql`select 1`.execute(db);
      return;
    } catch (error) {
      if (!(error instanceof Error) || !isUnavailable(error) || performance.now() >= deadline) throw error;
      if (attempt === 1) onWait(error);
    }
    await sleep(ASK_AGAIN_MS);
  }
}

export type MigrationSteps = {
  /** Runs first, for schemas that ours refers to. */
  readonly before?: () => Promise<void>;
  /** Runs last, for tables that depend on the configuration. */
  readonly after?: (connection: Kysely<DB>) => Promise<void>;
  /** Is granted what serving and working need. */
  readonly runtimeRole?: string | null;
};

/**
 * Migrates the database to the version of this program and returns the applied migrations. Concurrent calls wait for each
 * other, and each migration is applied once. Throws, before any change, SchemaTooNew if the database is ahead of this
 * program, or RuntimeRoleUnfit.
 */
export async function migrateToLatest(
  db: Kysely<DB>,
  { before, after, runtimeRole = null }: MigrationSteps = {},
): Promise<{ applied: string[] }> {
  return await alone(db, async (connection) => {
    const unknown = await listUnknown(connection);
    if (unknown.length > 0) throw new SchemaTooNew(unknown);
    if (runtimeRole !== null) await checkRuntimeRole(connection, runtimeRole);
    await before?.();
    const missing = await listMissing(connection);
    if (runtimeRole !== null && missing.length > 0) {
      await grantRuntimeRole(connection, runtimeRole);
      await openNewTables(connection, runtimeRole);
    }
    for (const name of missing) await migrateTo(connection, name);
    await after?.(connection);
    if (runtimeRole !== null) await grantRuntimeRole(connection, runtimeRole);
    return { applied: missing };
  });
}

/**
 * Returns true if every migration of this program is applied. Newer migrations are ignored: the old version keeps serving
 * while a new one is rolled out.
 */
export async function isCurrent(db: Kysely<DB>): Promise<boolean> {
  const applied = await listApplied(db);
  return (await listKnown()).every((name) => applied.includes(name));
}

/**
 * Applies migrations up to this one, for `migrateToLatest` and for tests of single steps. Each is one transaction unless it
 * exports `withoutTransaction`; such a migration must be repeatable after an interruption.
 */
export async function migrateTo(db: Kysely<DB>, name: string): Promise<void> {
  const migrations = await createProvider().getMigrations();
  const provider = { getMigrations: async () => mapValues(migrations, impatient) };
  const migration = migrations[name];
  const disableTransactions = migration !== undefined && !isTransaction(migration);
  for (;;) {
    const { error } = await new Migrator({ db, provider }).migrateTo(name, { disableTransactions });
    if (error === undefined) return;
    if (!isLockTimeout(error)) throw new Error(`migration ${name} failed`, { cause: error });
    await sleep(ASK_AGAIN_MS);
  }
}

/** While a statement waits for a table's lock, later writes wait behind it. So it gives up soon, to start again later. */
function impatient(migration: Migration): Migration {
  if (!isTransaction(migration)) return migration;
  return {
    up: async (tx) => {
      await sql`set local lock_timeout = '100ms'`.execute(tx);
      await migration.up(tx);
    },
  };
}

function isTransaction(migration: Migration): boolean {
  return !("withoutTransaction" in migration);
}

function mapValues<T>(values: Readonly<Record<string, T>>, map: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

const ADVISORY_LOCK = 7_310_200_001;
const ASK_AGAIN_MS = 250;

/**
 * Runs on one connection, which owns the lock, without a time limit, since the second caller has to wait. It polls: a
 * waiting statement would hold a snapshot, and building an index concurrently would wait for that snapshot in turn.
 */
async function alone<T>(db: Kysely<DB>, work: (connection: Kysely<DB>) => Promise<T>): Promise<T> {
  return await db.connection().execute(async (connection) => {
    while (!(await tryLock(connection))) await sleep(ASK_AGAIN_MS);
    await sql`set statement_timeout = 0`.execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(ADVISORY_LOCK)})`.execute(connection);
      await sql`reset statement_timeout`.execute(connection);
    }
  });
}

async function tryLock(connection: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ got: boolean }>`
    select pg_try_advisory_lock(${sql.lit(ADVISORY_LOCK)}) as got`.execute(connection);
  return rows[0]?.got === true;
}

async function listMissing(db: Kysely<DB>): Promise<string[]> {
  const applied = await listApplied(db);
  return (await listKnown()).filter((name) => !applied.includes(name));
}

async function listUnknown(db: Kysely<DB>): Promise<string[]> {
  const known = await listKnown();
  return (await listApplied(db)).filter((name) => !known.includes(name));
}

async function listKnown(): Promise<string[]> {
  return Object.keys(await createProvider().getMigrations()).sort();
}

async function listApplied(db: Kysely<DB>): Promise<string[]> {
  const table = await sql<{
    name: string | null;
  }>`select to_regclass('kysely_migration')::text as name`.execute(db);
  if (table.rows[0]?.name == null) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map((row) => row.name);
}

function createProvider(): FileMigrationProvider {
  const migrationFolder = fileURLToPath(new URL("../../migrations", import.meta.url));
  return new FileMigrationProvider({ fs, path, migrationFolder });
}
