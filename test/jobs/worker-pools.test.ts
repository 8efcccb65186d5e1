import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { run, runOnce } from "graphile-worker";
import { sql } from "kysely";
import pino from "pino";
import { startWorkerLock, unlockDeadWorkers } from "../../src/jobs/worker-pools.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { listUnheldPools } from "../../src/store/queue/worker-locks.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";

const log = pino({ level: "silent" });

test("a killed worker's job and queue are released", async () => {
  await using world = await createWorld();
  await world.queueJob();
  const worker = await world.startWorker();

  await kill(worker);
  const dead = await until(async () => await unlockDeadWorkers({ ...world, log, patienceMs: 0 }), hasSome);

  assert.equal(dead.length, 1);
  assert.equal(await world.lockedJobs(), 0);
  assert.deepEqual(await world.runJobs(), ["endless"]);
});

test("a single worker that restarts under a new name gets its job back", async () => {
  await using world = await createWorld();
  await world.queueJob();
  await kill(await world.startWorker());
  await until(async () => await listUnheldPools(world.db), hasSome);

  await unlockDeadWorkers({ ...world, log, patienceMs: 0 });
  const next = await world.startWorker();

  assert.equal(await world.lockedJobs(), 1);
  assert.deepEqual(await listUnheldPools(world.db), []);
  await kill(next);
});

test("a living worker keeps its job", async () => {
  await using world = await createWorld();
  await world.queueJob();
  const worker = await world.startWorker();

  const dead = await unlockDeadWorkers({ ...world, log, patienceMs: 0 });

  assert.deepEqual(dead, []);
  assert.equal(await world.lockedJobs(), 1);
  await kill(worker);
});

test("a worker whose connections were cut soon holds its lock again, and keeps its job meanwhile", async () => {
  await using world = await createWorld();
  await world.queueJob();
  const worker = await world.startWorker();
  // Waits for the end of the session, which may hold its lock until then.
  await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and application_name = 'torikomi worker lock'`.execute(world.db);

  const dead = await unlockDeadWorkers({ ...world, log, patienceMs: 3_000 });

  assert.deepEqual(dead, []);
  assert.deepEqual(await listUnheldPools(world.db), []);
  assert.equal(await world.lockedJobs(), 1);
  await kill(worker);
});

test("a stopped pool needs no lock, and its process releases it", async () => {
  await using world = await createWorld();
  const lock = startWorkerLock(world.connectionString);
  const runner = await run({
    connectionString: world.connectionString,
    events: lock.events,
    logger: silentWorkerLog,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList: { nothing: () => {} },
  });
  await until(
    async () => await world.heldLocks(),
    (count) => count === 1,
  );

  await runner.stop();

  await until(
    async () => await world.heldLocks(),
    (count) => count === 0,
  );
  await lock.close();
});

test("a locked job whose pool never took a lock is released", async () => {
  await using world = await createWorld();
  await world.queueJob();
  await sql`update graphile_worker._private_jobs set locked_by = 'pool-of-long-ago', locked_at = now()`.execute(
    world.db,
  );

  const dead = await unlockDeadWorkers({ ...world, log, patienceMs: 0 });

  assert.deepEqual(dead, ["pool-of-long-ago"]);
  assert.equal(await world.lockedJobs(), 0);
});

test("a job queued again while it ran leaves only its successor", async () => {
  await using world = await createWorld();
  await world.queueJob("again");
  const worker = await world.startWorker();
  await world.queueJob("again");

  await kill(worker);
  await until(async () => await unlockDeadWorkers({ ...world, log, patienceMs: 0 }), hasSome);

  assert.equal(await world.outOfAttempts(), 0);
  assert.deepEqual(await world.runJobs(), ["endless"]);
});

async function createWorld() {
  const database = await createTestDatabase();
  const { db, pool, close } = openDatabase(database.connectionString);
  const children: ChildProcess[] = [];
  return {
    db,
    connectionString: database.connectionString,
    async queueJob(key: string | null = null) {
      await sql`select graphile_worker.add_job('endless', queue_name := 'one-by-one', job_key := ${key})`.execute(
        db,
      );
    },
    /** Resolves when the worker has taken the job and holds its lock. */
    async startWorker() {
      const script = fileURLToPath(new URL("worker-child.ts", import.meta.url));
      const child = spawn(process.execPath, [script, database.connectionString], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      await once(child.stdout, "data");
      await until(
        async () => await listUnheldPools(db),
        (pools) => pools.length === 0,
      );
      return child;
    },
    lockedJobs: async () => await count(db, "graphile_worker.jobs where locked_at is not null"),
    outOfAttempts: async () => await count(db, "graphile_worker.jobs where attempts >= max_attempts"),
    heldLocks: async () => await count(db, HELD_LOCKS),
    /** Runs the due jobs here and returns their names. */
    async runJobs() {
      const done: string[] = [];
      await runOnce({
        pgPool: pool,
        logger: silentWorkerLog,
        noHandleSignals: true,
        taskList: { endless: () => void done.push("endless") },
      });
      return done;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) await kill(child);
      await close();
      await database[Symbol.asyncDispose]();
    },
  };
}

const HELD_LOCKS = `pg_locks where locktype = 'advisory'
  and database = (select oid from pg_database where datname = current_database())`;

async function count(db: Database, from: string): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) as count from ${sql.raw(from)}`.execute(db);
  return Number(rows[0]?.count);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

const DEADLINE_MS = 20_000;

/** Repeats the query until the result is as expected; throws after the deadline. */
async function until<T>(ask: () => Promise<T>, wished: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (wished(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`timed out; the last result was ${String(answer)}`);
    await pause(20);
  }
}

function hasSome(list: readonly unknown[]): boolean {
  return list.length > 0;
}
