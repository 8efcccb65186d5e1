import assert from "node:assert/strict";
import { runMigrations } from "graphile-worker";
import type pg from "pg";
import { openDatabase } from "../../src/store/database.ts";
import { migrateTo } from "../../src/store/migrate.ts";
import type { User } from "../support/docusign/state.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import type { World } from "../support/world.ts";
import { LAST_MIGRATION } from "./first-version.ts";

/** The tenant that the rows of the migrations' fixtures belong to. */
export const TENANT = "acme";
const GROUP = "contracts";

/**
 * Makes the link of the migrations' fixtures a working one of this user. Requires that the fixtures fill all that is
 * newer than version 0.1: each table with a row, and each column with a value.
 */
export async function adoptRows(world: World, user: User): Promise<void> {
  const { tasks, working } = world.service.foundation;
  const { pool } = working;
  await pool.query(
    `update link set state = 'error', cause = 'authorization-revoked', paused_at = null, account_id = $1, user_id = $2
     where tenant = $3 and state <> 'ended'`,
    [user.defaultAccountId, user.userId, TENANT],
  );
  await pool.query("update linking set code_verifier = $1", [tasks.vault.sealUnbound("verifier")]);
  assert.equal(await world.link(user, { tenant: TENANT, group: GROUP }), "linked");
  assert.deepEqual(await listUnfilled(pool), []);
}

/** Tables without rows, and columns since version 0.1 without values. */
async function listUnfilled(pool: pg.Pool): Promise<string[]> {
  const old = new Set(await listColumnsOfFirstVersion());
  const unfilled: string[] = [];
  for (const { table, column } of await listColumns(pool)) {
    const counted = old.has(`${table}.${column}`) ? "*" : `"${column}"`;
    const { rows } = await pool.query<{ count: string }>(`select count(${counted}) from "${table}"`);
    if (rows[0]?.count === "0") unfilled.push(counted === "*" ? table : `${table}.${column}`);
  }
  return [...new Set(unfilled)];
}

async function listColumnsOfFirstVersion(): Promise<string[]> {
  await using empty = await createEmptyDatabase();
  const { db, pool, close } = openDatabase(empty.connectionString);
  await runMigrations({ pgPool: pool });
  await migrateTo(db, LAST_MIGRATION);
  const columns = await listColumns(pool);
  await close();
  return columns.map(({ table, column }) => `${table}.${column}`);
}

async function listColumns(pool: pg.Pool): Promise<{ table: string; column: string }[]> {
  const { rows } = await pool.query<{ table: string; column: string }>(
    `select table_name as table, column_name as column from information_schema.columns
     where table_schema = 'public' and table_name not like 'kysely%' order by table_name, ordinal_position`,
  );
  return rows;
}
