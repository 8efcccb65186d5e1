import assert from "node:assert/strict";
import { test } from "node:test";
import { enqueueErasure } from "../../src/store/queue.ts";
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
