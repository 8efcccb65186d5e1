import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import type { Database } from "../../src/store/database.ts";
import { enqueueBacklog, enqueueErasure } from "../../src/store/queue/queue.ts";
import { listUnheldPools } from "../../src/store/queue/worker-locks.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import { until } from "../support/waiting.ts";
import { createWorld } from "../support/world.ts";

test("a job that is run on demand is held by a living worker, as any other", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  await enqueueErasure(db);

  const { running } = await db.transaction().execute(async (tx) => {
    await sql`lock table contract`.execute(tx);
    const running = world.service.runDueJobs();
    await until(async () => await isWaitingForLock(world), "the job waits for the table");
    await until(async () => (await listUnheldPools(db)).length === 0, "somebody holds the worker's lock");
    return { running };
  });
  await running;
});

test("what a process puts off whose clock is minutes behind the database's is not due again at once", async () => {
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

/** Wakes a link's backlog after so long; null is at once. */
async function wake(db: Database, linkId: LinkId, afterMs: number | null): Promise<void> {
  const runAt = afterMs === null ? null : new Date(Date.now() + afterMs);
  await enqueueBacklog(db, { linkId, lane: 0, runAt, first: false });
}

/** In how many minutes the link's backlog goes on, by what waits for that. */
async function minutesUntilNextTurn(db: Database): Promise<unknown[]> {
  const { rows } = await sql<{ minutes: number }>`
    select round(extract(epoch from run_at - now()) / 60)::int as minutes from graphile_worker.jobs
    where locked_at is null order by id`.execute(db);
  return rows.map(({ minutes }) => minutes);
}

test("a backlog that is to go on goes on at the soonest of the moments for which it was woken", async () => {
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

test("a turn of a backlog that a worker has taken keeps no later one from its moment", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  const linkId = parseUuid<LinkId>(randomUUID())!;
  await wake(db, linkId, null);
  await sql`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'worker'`.execute(db);

  await wake(db, linkId, AN_HOUR);

  assert.deepEqual(await minutesUntilNextTurn(db), [60]);
});

test("a later wake-up that comes while a sooner one is being committed does not put it off", async () => {
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
