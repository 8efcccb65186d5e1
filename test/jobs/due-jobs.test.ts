import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { enqueueBacklog, enqueueErasure } from "../../src/store/queue.ts";
import { listUnheldPools } from "../../src/store/worker-locks.ts";
import { until } from "../faults/waiting.ts";
import { createWorld } from "../support/world.ts";

test("a job that is run on demand is held by a living worker, as any other", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.back;
  await enqueueErasure(db);
  let jobs = 0;
  world.service.foundation.tasks.traceJob = async (_job, work) => {
    jobs += 1;
    await until(async () => (await listUnheldPools(db)).length === 0, "somebody holds the worker's lock");
    await work();
  };

  await world.service.runDueJobs();

  assert.equal(jobs, 1);
});

test("what a process puts off whose clock is minutes behind the database's is not due again at once", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.back;
  const linkId = parseUuid<LinkId>(randomUUID())!;
  const soonByTheirClock = new Date(Date.now() - 5 * 60 * 1000 + 10_000);

  await enqueueBacklog(db, { linkId, lane: 0, runAt: soonByTheirClock, first: false });

  const { rows } = await sql`select run_at > now() as later from graphile_worker.jobs`.execute(db);
  assert.deepEqual(rows, [{ later: true }]);
});
