import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Logger, run } from "graphile-worker";
import { sql } from "kysely";
import pg from "pg";
import { openDatabase } from "../../src/store/database.ts";
import { patientPool } from "../../src/store/queue/patient-pool.ts";
import { createTestDatabase } from "../support/postgres.ts";

/** Long enough for the queue to try what it has to write, and to fail. */
const AWAY_MS = 700;

test("a job that ends while the database is away is struck off when it is back, and the next one is run", async () => {
  await using world = await createWorld();
  const impatient = new AbortController();
  let done = 0;
  const runner = await run({
    pgPool: patientPool(world.pool, impatient.signal),
    concurrency: 1,
    pollInterval: 50,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: {
      lose: async () => {
        await world.goAway();
        setTimeout(() => void world.comeBack(), AWAY_MS);
      },
      next: () => void (done += 1),
    },
  });

  await sql`select graphile_worker.add_job('lose')`.execute(world.db);
  await world.untilQueueIsEmpty();
  await sql`select graphile_worker.add_job('next')`.execute(world.db);
  await world.untilQueueIsEmpty();

  assert.equal(done, 1);
  impatient.abort();
  await runner.stop();
});

test("who is told to be impatient gets no connection instead of waiting for one", async () => {
  await using world = await createWorld();
  await world.goAway();
  const impatient = new AbortController();

  const connecting = patientPool(world.pool, impatient.signal).connect();
  impatient.abort();

  await assert.rejects(connecting, { code: "55000" });
  await world.comeBack();
});

async function createWorld() {
  const database = await createTestDatabase();
  const { db, pool, close } = openDatabase(database.connectionString);
  const { pathname, href } = new URL(database.connectionString);
  const name = pathname.slice(1);
  const admin = new pg.Client({ connectionString: href.replace(name, "postgres") });
  await admin.connect();
  return {
    db,
    pool,
    /** Nobody is let in, and who is in is thrown out. */
    async goAway() {
      await admin.query(`alter database ${name} allow_connections false`);
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
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
