import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { startService } from "../../src/service.ts";
import type { Database } from "../../src/store/database.ts";
import { enqueueBacklog, enqueueErasure } from "../../src/store/queue/queue.ts";
import { listUnheldPools } from "../../src/store/queue/worker-locks.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import { until } from "../support/waiting.ts";
import { createWorld } from "../support/world.ts";

test("a job run on demand is locked by a living worker, like any other", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  await enqueueErasure(db);

  const { running } = await db.transaction().execute(async (tx) => {
    await sql`lock table contract`.execute(tx);
    const running = world.service.runDueJobs();
    await until(async () => await isWaitingForLock(world), "the job waits for the table");
    await until(async () => (await listUnheldPools(db)).length === 0, "a pool holds the worker lock");
    return { running };
  });
  await running;
});

test("a run of the due jobs ends only after the queue has recorded that they ended", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  await enqueueErasure(db);
  const steps: string[] = [];

  const { running } = await db.transaction().execute(async (jobRow) => {
    const { running } = await db.transaction().execute(async (contracts) => {
      await sql`lock table contract`.execute(contracts);
      const running = world.service.runDueJobs().then(() => void steps.push("the run ended"));
      await until(async () => await isWaitingForLock(world), "the job waits for the table");
      await sql`select from graphile_worker._private_jobs for update`.execute(jobRow);
      return { running };
    });
    await until(async () => await isWaitingForLock(world, "_private_jobs"), "the queue waits for the row");
    steps.push("the queue may write");
    return { running };
  });
  await running;

  assert.deepEqual(steps, ["the queue may write", "the run ended"]);
  assert.deepEqual((await sql`select from graphile_worker.jobs`.execute(db)).rows, []);
});

test("a job that outlasts the shutdown of its process is released, and its error is only logged", async () => {
  await using world = await createWorld({ expectErrors: true });
  const { db } = world.service.foundation.working;
  const { log } = world.service.foundation;
  const late = await startService({ ...world.config, port: 0, shutdownTimeoutMs: 400 }, "work", {
    log,
    now: () => new Date(),
  });

  const { ended } = await db.transaction().execute(async (tx) => {
    await sql`lock table contract`.execute(tx);
    // Queued any earlier, it might end before the table is locked.
    await enqueueErasure(db);
    await until(async () => await isWaitingForLock(world, "contract"), "the job waits for the table");
    const ended = late[Symbol.asyncDispose]();
    await until(() => late.foundation.working.pool.ending, "the process closes its connections");
    return { ended };
  });
  await ended;
  await until(() => world.logged.some((line) => line.includes("Failed to fail jobs")), "the job has ended");

  const { rows } = await sql`
    select locked_at from graphile_worker.jobs where task_identifier = 'erase-documents'`.execute(db);
  assert.deepEqual(rows, [{ locked_at: null }]);
});

test("a job postponed by a process whose clock is minutes behind the database's is not due at once", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  const linkId = parseUuid<LinkId>(randomUUID())!;
  const soonByTheirClock = new Date(Date.now() - 5 * 60 * 1000 + 10_000);

  await enqueueBacklog(db, { linkId, lane: 0, runAt: soonByTheirClock, first: false });

  const { rows } = await sql`select run_at > now() as later from graphile_worker.jobs`.execute(db);
  assert.deepEqual(rows, [{ later: true }]);
});

const FIVE_MINUTES = 5 * 60 * 1000;
const AN_HOUR = 60 * 60 * 1000;

/** Wakes a link's backlog after this time; null means at once. */
async function wake(db: Database, linkId: LinkId, afterMs: number | null): Promise<void> {
  const runAt = afterMs === null ? null : new Date(Date.now() + afterMs);
  await enqueueBacklog(db, { linkId, lane: 0, runAt, first: false });
}

/** The minutes until the queued turns of the link's backlog. */
async function minutesUntilNextTurn(db: Database): Promise<unknown[]> {
  const { rows } = await sql<{ minutes: number }>`
    select round(extract(epoch from run_at - now()) / 60)::int as minutes from graphile_worker.jobs
    where locked_at is null order by id`.execute(db);
  return rows.map(({ minutes }) => minutes);
}

test("a backlog continues at the earliest of the times for which it was woken", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  const linkId = parseUuid<LinkId>(randomUUID())!;

  await wake(db, linkId, FIVE_MINUTES);
  await wake(db, linkId, AN_HOUR);
  const afterLater = await minutesUntilNextTurn(db);
  await wake(db, linkId, FIVE_MINUTES / 5);
  const afterSooner = await minutesUntilNextTurn(db);
  await wake(db, linkId, null);
  const afterAtOnce = await minutesUntilNextTurn(db);
  await wake(db, linkId, AN_HOUR);

  assert.deepEqual([afterLater, afterSooner, afterAtOnce], [[5], [1], [0]]);
  assert.deepEqual(await minutesUntilNextTurn(db), [0]);
});

test("a backlog turn that a worker has taken does not change the time of a later one", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  const linkId = parseUuid<LinkId>(randomUUID())!;
  await wake(db, linkId, null);
  await sql`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'worker'`.execute(db);

  await wake(db, linkId, AN_HOUR);

  assert.deepEqual(await minutesUntilNextTurn(db), [60]);
});

test("a later wake-up during the commit of a sooner one does not delay it", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  const linkId = parseUuid<LinkId>(randomUUID())!;

  const { later } = await db.transaction().execute(async (tx) => {
    await wake(tx, linkId, null);
    const later = wake(db, linkId, AN_HOUR);
    await until(async () => await isWaitingForLock(world), "the later one waits for the sooner one");
    return { later };
  });
  await later;

  assert.deepEqual(await minutesUntilNextTurn(db), [0]);
});

test("housekeeping empties one slot of event bodies, and each further one is a job", async () => {
  await using world = await createWorld();
  const { service } = world;
  const { db } = service.foundation.working;
  await sql`insert into event_body (slot, event_id, received_at, body)
    select slot, slot, now() - interval '10 days', '' from generate_series(0, 2) as slot`.execute(db);
  const left: number[] = [];

  await sql`select graphile_worker.add_job('housekeeping')`.execute(db);
  for (let run = 0; run < 3; run += 1) {
    await service.runDueJobs();
    left.push((await db.selectFrom("event_body").select("slot").execute()).length);
    await sql`update graphile_worker._private_jobs set run_at = now()`.execute(db);
  }

  assert.deepEqual(left, [2, 1, 0]);
});
