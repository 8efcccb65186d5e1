import * as fs from "node:fs/promises";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { type Kysely, sql } from "kysely";
import { FileMigrationProvider, Migrator } from "kysely/migration";
import type { DB } from "./schema.ts";

/** The database was brought further by a newer program; this one must not touch it. */
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
 * Brings the database to the version of this program and names the migrations it applied. Several at once wait for
 * one another; each migration happens once. `extra` runs under the same lock, before them: the schemas of others
 * that ours may refer to. Throws SchemaTooNew, before anything is touched, where the database is ahead of this program.
 */
export async function migrateToLatest(
  db: Kysely<DB>,
  extra: () => Promise<void> = async () => {},
): Promise<{ applied: string[] }> {
  return await alone(db, async (connection) => {
    const unknown = await listUnknown(connection);
    if (unknown.length > 0) throw new SchemaTooNew(unknown);
    await extra();
    const { error, results = [] } = await createMigrator(connection).migrateToLatest();
    const failed = results.find((result) => result.status === "Error");
    if (error !== undefined)
      throw new Error(`migration ${failed?.migrationName ?? ""} failed`, { cause: error });
    return { applied: results.map((result) => result.migrationName) };
  });
}

/**
 * Whether every migration of this program is applied. Newer ones beside them don't count: while a new version rolls
 * out, the old one goes on serving.
 */
export async function isCurrent(db: Kysely<DB>): Promise<boolean> {
  const applied = await listApplied(db);
  return (await listKnown()).every((name) => applied.includes(name));
}

/** kysely's own migrator on our folder, for what needs single steps. */
export function createMigrator(db: Kysely<DB>): Migrator {
  return new Migrator({ db, provider: createProvider() });
}

const ADVISORY_LOCK = 7_310_200_001;

/** On one connection, since the lock belongs to it; without time limit, since waiting is what the second one is for. */
async function alone<T>(db: Kysely<DB>, work: (connection: Kysely<DB>) => Promise<T>): Promise<T> {
  return await db.connection().execute(async (connection) => {
    await sql`set statement_timeout = 0`.execute(connection);
    await sql`select pg_advisory_lock(${sql.lit(ADVISORY_LOCK)})`.execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(ADVISORY_LOCK)})`.execute(connection);
      await sql`reset statement_timeout`.execute(connection);
    }
  });
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
