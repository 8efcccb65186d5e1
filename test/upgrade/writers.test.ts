import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { openDatabase } from "../../src/store/database.ts";
import { isCurrent } from "../../src/store/migrate.ts";
import { migrateTestDatabase } from "../support/postgres.ts";
import { createDatabaseBefore } from "./previous.ts";

test("a migration that waits for open writes does not block new ones", async () => {
  await using database = await createDatabaseBefore();
  const { connectionString } = database;
  await using writers = await startWriters(connectionString);

  const migrating = migrateTestDatabase(connectionString);
  const kept = await letGoOneByOne(writers, migrating);
  await migrating;

  assert.deepEqual(kept, []);
  const { db, close } = openDatabase(connectionString);
  assert.equal(await isCurrent(db), true);
  await close();
});

type Writers = AsyncDisposable & {
  readonly tables: readonly string[];
  /** Sessions with an open write to a table, by process id. */
  readonly busy: Map<number, pg.Client>;
  readonly watcher: pg.Client;
};

async function startWriters(connectionString: string): Promise<Writers> {
  const watcher = await connect(connectionString);
  const { rows } = await watcher.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%' order by 1",
  );
  const tables = rows.map(({ name }) => name);
  const busy = new Map<number, pg.Client>();
  for (const table of tables) {
    const writer = await connect(connectionString);
    await writer.query(`begin; lock table ${table} in row exclusive mode`);
    busy.set(await pidOf(writer), writer);
  }
  return {
    tables,
    busy,
    watcher,
    [Symbol.asyncDispose]: async () => {
      await watcher.end();
      for (const writer of busy.values()) await writer.end();
    },
  };
}

/** Each time the migration waits, other sessions write; then the awaited sessions end. Returns the blocked tables. */
async function letGoOneByOne(
  { tables, busy, watcher }: Writers,
  migrating: Promise<unknown>,
): Promise<string[]> {
  const kept = new Set<string>();
  const state = { isOver: false };
  const over = (): void => {
    state.isOver = true;
  };
  migrating.then(over, over);
  await watcher.query("set lock_timeout = '200ms'");
  while (!state.isOver) {
    const blocking = await blockersOf(watcher, [...busy.keys()]);
    if (blocking.length === 0) continue;
    for (const table of tables) if (!(await isWritable(watcher, table))) kept.add(table);
    for (const pid of blocking) {
      await busy.get(pid)?.end();
      busy.delete(pid);
    }
  }
  return [...kept];
}

async function blockersOf(watcher: pg.Client, writers: number[]): Promise<number[]> {
  const { rows } = await watcher.query<{ pid: number }>(
    `select distinct blocking as pid from pg_stat_activity, unnest(pg_blocking_pids(pid)) as blocking
     where datname = current_database() and blocking = any ($1)`,
    [writers],
  );
  return rows.map(({ pid }) => pid);
}

async function isWritable(watcher: pg.Client, table: string): Promise<boolean> {
  await watcher.query("begin");
  try {
    await watcher.query(`lock table ${table} in row exclusive mode`);
    return true;
  } catch {
    return false;
  } finally {
    await watcher.query("rollback");
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid ?? 0;
}
