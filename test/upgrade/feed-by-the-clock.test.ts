import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { runMigrations } from "graphile-worker";
import type pg from "pg";
import { openDatabase } from "../../src/store/database.ts";
import { migrateTo } from "../../src/store/migrate.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import { until } from "../support/waiting.ts";
import { LAST_MIGRATION } from "./first-version.ts";

const MIGRATION = "0007-feed-by-the-clock";
const LINK = "00000000-0000-4000-8000-000000000001";

test("the migration adds one entry for each link, and later positions follow the clock", async () => {
  await using old = await createFirstVersion();
  await old.pool.query(`insert into link (
      id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, ended_at, approval,
      connect_sent, connect_received)
    select gen_random_uuid(), tenant, group_id, 'ended', account_id, account_name, base_uri, user_id, user_name,
      '2025-01-01', '2025-06-01', approval, connect_sent, connect_received from link`);
  const before = Date.now() * 1_000 - 1_000_000;

  await old.migrate();

  const { rows } = await old.pool.query(
    "select tenant, type, note ->> 'state' as state, note ->> 'groupId' as group, sequence from feed_note order by id",
  );
  assert.deepEqual(rows, [
    { tenant: "acme", type: "link", state: "ended", group: "contracts", sequence: null },
    { tenant: "acme", type: "link", state: "active", group: "contracts", sequence: null },
  ]);
  const { rows: drawn } = await old.pool.query("select nextval('change_sequence') as next");
  assert.ok(Number(drawn[0].next) > before);
});

test("version 0.1 writes entries too, but none for an update that changes nothing that they show", async () => {
  await using old = await createFirstVersion();
  await old.migrate();
  const { pool } = old;

  await pool.query("update link set cause = 'not-admin', state = 'error' where id = $1", [LINK]);
  await pool.query(
    "update link set cause = cause, checked_at = now(), connect_sent = 'pending' where id = $1",
    [LINK],
  );
  await pool.query("update link set cause = null, state = 'active' where id = $1", [LINK]);

  const { rows } = await pool.query("select note ->> 'state' as state from feed_note order by id");
  assert.deepEqual(
    rows.map(({ state }) => state),
    ["active", "error", "active"],
  );
});

test("the migration stops if a tenant is named *, and no tenant gets this name afterwards", async () => {
  await using old = await createFirstVersion();
  const { pool } = old;
  const reserve = async (): Promise<pg.QueryResult> =>
    await pool.query(
      "insert into cabinet_group (tenant, id, name, created_at) values ('*', 'sales', '営業', now())",
    );
  await reserve();

  await assert.rejects(old.migrate(), (error: Error) =>
    /table cabinet_group has rows of a tenant named \*/.test(String(error.cause)),
  );
  await pool.query("delete from cabinet_group where tenant = '*'");
  await old.migrate();

  await assert.rejects(reserve(), /cabinet_group_tenant/);
});

test("while the migration waits for an open write, links can be written", async () => {
  await using old = await createFirstVersion();
  const [open, other] = [await old.pool.connect(), await old.pool.connect()];
  const write = "begin; lock table link in row exclusive mode";
  await open.query(write);
  const migrated = old.migrate();
  await until(async () => await isWaiting(other), "the migration waits");

  await other.query(`set lock_timeout = '200ms'; ${write}; commit`);
  await open.query("commit");
  await migrated;

  for (const client of [open, other]) client.release();
});

async function isWaiting(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query(
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows.length > 0;
}

/** A database of version 0.1 with the rows of its fixtures. */
async function createFirstVersion() {
  await using opened = new AsyncDisposableStack();
  const { connectionString } = opened.use(await createEmptyDatabase());
  const { db, pool, close } = openDatabase(connectionString);
  opened.defer(close);
  await runMigrations({ pgPool: pool });
  await migrateTo(db, LAST_MIGRATION);
  const folder = new URL("../fixtures/migrations/", import.meta.url);
  const files = (await readdir(folder)).sort().filter((name) => name <= `${LAST_MIGRATION.slice(0, 4)}.sql`);
  for (const name of files) await pool.query(await readFile(new URL(name, folder), "utf8"));
  const kept = opened.move();
  return {
    pool,
    migrate: async () => await migrateTo(db, MIGRATION),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}
