import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { isCurrent, migrateToLatest, SchemaTooNew } from "../../src/store/migrate.ts";
import {
  createEmptyDatabase,
  createTestDatabase,
  migrateTestDatabase,
  type TestDatabase,
} from "../support/postgres.ts";

test("two simultaneous migrations both succeed, and each step runs once", async () => {
  await using empty = await createEmptyDatabase();

  const [one, other] = await Promise.all([
    migrateTestDatabase(empty.connectionString),
    migrateTestDatabase(empty.connectionString),
  ]);

  assert.notEqual(one.applied.length === 0, other.applied.length === 0);
  assert.deepEqual(await listApplied(empty), [...one.applied, ...other.applied]);
});

test("a migration waits for another one, longer than the statement timeout", async () => {
  await using empty = await createEmptyDatabase();
  await using first = await open(empty);
  await using second = await open(empty, 100);
  const entered = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const order: string[] = [];

  const slow = migrateToLatest(first.db, {
    before: async () => {
      entered.resolve();
      await goOn.promise;
      order.push("first");
    },
  });
  await entered.promise;
  const quick = migrateToLatest(second.db, {
    before: async () => {
      order.push("second");
    },
  });
  await untilOneHasWaited(first, 600);
  goOn.resolve();
  await Promise.all([slow, quick]);

  assert.deepEqual(order, ["first", "second"]);
});

test("the statement timeout applies again after migrating", async () => {
  await using empty = await createEmptyDatabase();
  await using database = await open(empty, 12_345, 1);

  await migrateToLatest(database.db);

  const { rows } = await database.pool.query("show statement_timeout");
  assert.deepEqual(rows, [{ statement_timeout: "12345ms" }]);
});

test("migrating again changes nothing", async () => {
  await using migrated = await createTestDatabase();

  assert.deepEqual(await migrateTestDatabase(migrated.connectionString), { applied: [] });
});

test("a database migrated by a newer program is rejected and left untouched", async () => {
  await using migrated = await createTestDatabase();
  await using database = await open(migrated);
  await addMigration(database, "9999-from-the-future");
  let touched = false;

  const migrating = migrateToLatest(database.db, {
    before: async () => {
      touched = true;
    },
  });

  await assert.rejects(migrating, (error) => {
    assert.ok(error instanceof SchemaTooNew);
    assert.deepEqual(error.unknown, ["9999-from-the-future"]);
    return true;
  });
  assert.equal(touched, false);
});

test("a database is current once all migrations of this program are applied, with or without newer ones", async () => {
  await using empty = await createEmptyDatabase();
  await using database = await open(empty);

  const before = await isCurrent(database.db);
  await migrateTestDatabase(empty.connectionString);
  const after = await isCurrent(database.db);
  await addMigration(database, "9999-from-the-future");
  const later = await isCurrent(database.db);
  await database.pool.query("delete from kysely_migration where name like '0001-%'");
  const behind = await isCurrent(database.db);

  assert.deepEqual(
    { before, after, later, behind },
    { before: false, after: true, later: true, behind: false },
  );
});

test("migrations are applied only if the steps before them succeed", async () => {
  await using empty = await createEmptyDatabase();
  await using database = await open(empty);

  await assert.rejects(
    migrateToLatest(database.db, { before: () => Promise.reject(new Error("the queue has no schema")) }),
    /the queue has no schema/,
  );

  assert.equal(await isCurrent(database.db), false);
  assert.deepEqual((await migrateToLatest(database.db)).applied.length > 0, true);
});

test("a date is read as written, a timestamp as a Date, a bigint without loss", async () => {
  await using empty = await createEmptyDatabase();
  await using database = await open(empty);

  const { rows } = await database.pool.query(
    "select date '2026-04-01' as day, timestamptz '2026-03-31T15:00:00Z' as moment, 9007199254740993 as many",
  );

  assert.deepEqual(rows, [
    { day: "2026-04-01", moment: new Date("2026-03-31T15:00:00Z"), many: "9007199254740993" },
  ]);
});

test("a connection that the server ends is reported and replaced", async () => {
  await using empty = await createEmptyDatabase();
  const reported: Error[] = [];
  const noticed = Promise.withResolvers<void>();
  const database = openDatabase(empty.connectionString, {
    onError: (error) => {
      reported.push(error);
      noticed.resolve();
    },
  });
  const { rows } = await database.pool.query<{ pid: number }>("select pg_backend_pid() as pid");

  await endSession(empty, rows[0]?.pid ?? 0);
  await noticed.promise;
  const again = await database.pool.query("select 1 as one");
  await database.close();
  await database.close();

  assert.deepEqual(again.rows, [{ one: 1 }]);
  assert.match(reported[0]?.message ?? "", /terminating connection/);
});

test("waiting for an unavailable connection ends after the timeout", async () => {
  await using empty = await createEmptyDatabase();
  const database = openDatabase(empty.connectionString, { max: 1, connectionTimeoutMs: 1_000 });
  const taken = await database.pool.connect();

  await assert.rejects(database.pool.query("select 1"), /timeout exceeded when trying to connect/);

  taken.release();
  await database.close();
});

async function open(
  to: TestDatabase,
  statementTimeoutMs = 0,
  max = 4,
): Promise<OpenDatabase & AsyncDisposable> {
  const database = openDatabase(to.connectionString, { statementTimeoutMs, max });
  return { ...database, [Symbol.asyncDispose]: () => database.close() };
}

async function listApplied(database: TestDatabase): Promise<string[]> {
  await using opened = await open(database);
  const { rows } = await opened.pool.query<{ name: string }>(
    "select name from kysely_migration order by name",
  );
  return rows.map((row) => row.name);
}

async function addMigration({ pool }: OpenDatabase, name: string): Promise<void> {
  await pool.query("insert into kysely_migration values ($1, $2)", [name, "2999-01-01T00:00:00.000Z"]);
}

/** Returns once another session has waited this long for the lock, by the server's clock. */
async function untilOneHasWaited({ pool }: OpenDatabase, milliseconds: number): Promise<void> {
  const waiting = `select from pg_stat_activity where query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid()
    and datname = current_database() and query_start - backend_start > make_interval(secs => $1)`;
  while ((await pool.query(waiting, [milliseconds / 1000])).rowCount === 0);
}

async function endSession(database: TestDatabase, pid: number): Promise<void> {
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  await client.query("select pg_terminate_backend($1)", [pid]);
  await client.end();
}
