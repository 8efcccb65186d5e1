import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { withLock } from "../../src/store/locks.ts";
import { createTestDatabase } from "../support/postgres.ts";

test("work under many locks ends although the pool has two connections: one holds all locks", async () => {
  await using world = await openWorld();

  const done = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      withLock(world.here.db, `outer ${index}`, async () =>
        withLock(world.here.db, `inner ${index}`, async () => await world.countLocks()),
      ),
    ),
  );

  assert.ok(done.every((locks) => locks !== null && locks >= 2));
  assert.equal(await world.countLocks(), 0);
});

test("a lock excludes the process that holds it and every other one, until its work ends or fails", async () => {
  await using world = await openWorld();
  const tried: unknown[] = [];

  await withLock(world.here.db, "a", async () => {
    tried.push(await withLock(world.here.db, "a", async () => "ran"));
    tried.push(await withLock(world.there.db, "a", async () => "ran"));
    tried.push(await withLock(world.there.db, "b", async () => "ran"));
  });
  await assert.rejects(withLock(world.here.db, "a", async () => await Promise.reject(new Error("failed"))));

  assert.deepEqual(tried, [null, null, "ran"]);
  assert.equal(await withLock(world.there.db, "a", async () => "ran"), "ran");
  assert.equal(await withLock(world.here.db, "a", async () => "ran"), "ran");
});

test("after the connection of the locks is lost, further locks are taken on a new one", async () => {
  await using world = await openWorld();

  const tried: unknown[] = [];
  const first = withLock(world.here.db, "a", async () => {
    await world.cutLocks();
    await withLock(world.here.db, "b", async () => {
      tried.push(await withLock(world.here.db, "a", async () => "ran"));
      tried.push(await withLock(world.there.db, "b", async () => "ran"));
    });
  });

  // Another process could have taken the lost lock, so this work reports its loss.
  await assert.rejects(first);
  assert.deepEqual(tried, [null, null]);
  assert.equal(await withLock(world.here.db, "a", async () => "ran"), "ran");
});

async function openWorld() {
  const database = await createTestDatabase();
  const here = openDatabase(database.connectionString, { max: 2 });
  const there = openDatabase(database.connectionString, { max: 2 });
  const count = async ({ db }: OpenDatabase, what: string): Promise<number> => {
    const { rows } = await sql<{ count: number }>`
      select count(${sql.raw(what)})::int as count from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`.execute(
      db,
    );
    return rows[0]?.count ?? Number.NaN;
  };
  return {
    here,
    there,
    countLocks: async () => await count(here, "*"),
    cutLocks: async () => await count(there, "pg_terminate_backend(pid, 5000)"),
    async [Symbol.asyncDispose]() {
      await here.close();
      await there.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
