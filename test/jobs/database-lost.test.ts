import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "graphile-worker";
import { sql } from "kysely";
import pg from "pg";
import { type Database, type DatabaseOptions, openDatabase } from "../../src/store/database.ts";
import { isUnavailable } from "../../src/store/database-errors.ts";
import { patientPool } from "../../src/store/queue/patient-pool.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";

/** Long enough for the queue to attempt its writes and fail. */
const AWAY_MS = 700;

const LOSSES: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async "the database is down"(world) {
    await world.goAway();
    setTimeout(() => void world.comeBack(), AWAY_MS);
  },
  async "every session is read-only, as after a failover"(world) {
    await world.set("default_transaction_read_only = on");
    await world.endSessions();
    setTimeout(() => void world.set("default_transaction_read_only = off"), AWAY_MS);
  },
  async "another session's lock outlasts lock_timeout"(world) {
    const locker = new pg.Client({ connectionString: world.connectionString });
    await locker.connect();
    await locker.query("begin");
    await locker.query("select from graphile_worker._private_jobs for update");
    setTimeout(() => void locker.end(), AWAY_MS);
  },
  async "the prepared statements are gone"(world) {
    const client = await world.pool.connect();
    await client.query("deallocate all");
    client.release();
  },
  async "the prepared statements are outdated by a migration"(world) {
    await sql`alter table graphile_worker._private_jobs add column later text`.execute(world.db);
  },
};

for (const [what, lose] of Object.entries(LOSSES)) {
  test(`a job that ends while ${what} is completed in the queue, and the next one runs`, async () => {
    // One connection listens, so everything else uses the other.
    await using world = await createWorld({ max: 2 });
    const impatient = new AbortController();
    const done: string[] = [];
    const runner = await run({
      pgPool: patientPool(world.pool, { signal: impatient.signal }),
      concurrency: 1,
      pollInterval: 50,
      noHandleSignals: true,
      logger: silentWorkerLog,
      taskList: {
        before: () => void done.push("before"),
        lose: async () => {
          await lose(world);
          done.push("lose");
        },
        next: () => void done.push("next"),
      },
    });

    for (const task of ["before", "lose", "next"]) {
      await sql`select graphile_worker.add_job(${task})`.execute(world.db);
      await world.untilQueueIsEmpty();
    }

    assert.deepEqual(done, ["before", "lose", "next"]);
    impatient.abort();
    await runner.stop();
  });
}

test("aborting the signal ends the wait for a connection with an error", async () => {
  await using world = await createWorld();
  await world.goAway();
  const impatient = new AbortController();

  const connecting = patientPool(world.pool, { signal: impatient.signal }).connect();
  impatient.abort();

  await assert.rejects(connecting, { code: "55000" });
  await world.comeBack();
});

const UNFIT: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  "that has become read-only": async (db) => {
    await sql`set default_transaction_read_only = on`.execute(db);
    await sql`create table refused ()`.execute(db);
  },
  "whose query timed out": async (db) => await sql`select pg_sleep(60)`.execute(db),
};

for (const [which, use] of Object.entries(UNFIT)) {
  test(`a connection ${which} is not used again`, async () => {
    await using world = await createWorld({ max: 1, queryTimeoutMs: 500 });

    await assert.rejects(use(world.db), isUnavailable);

    await sql`create table made ()`.execute(world.db);
  });
}

type World = Awaited<ReturnType<typeof createWorld>>;

async function createWorld(options: DatabaseOptions = {}) {
  const database = await createTestDatabase();
  const { pathname, href } = new URL(database.connectionString);
  const name = pathname.slice(1);
  const admin = new pg.Client({ connectionString: href.replace(name, "postgres") });
  await admin.connect();
  const set = async (setting: string): Promise<void> =>
    void (await admin.query(`alter database ${name} set ${setting}`));
  await set("lock_timeout = 100");
  const { db, pool, close } = openDatabase(database.connectionString, options);
  const endSessions = async (): Promise<void> =>
    void (await admin.query(
      "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1",
      [name],
    ));
  return {
    connectionString: database.connectionString,
    db,
    pool,
    set,
    endSessions,
    /** Ends all sessions and allows no new ones. */
    async goAway() {
      await admin.query(`alter database ${name} allow_connections false`);
      await endSessions();
    },
    comeBack: async () => await admin.query(`alter database ${name} allow_connections true`),
    async untilQueueIsEmpty() {
      for (;;) {
        const left = await sql`select 1 from graphile_worker.jobs`.execute(db).catch(() => null);
        if (left?.rows.length === 0) return;
        await pause(20);
      }
    },
    async [Symbol.asyncDispose]() {
      await close();
      await admin.end();
      await database[Symbol.asyncDispose]();
    },
  };
}
