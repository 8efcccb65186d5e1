import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { countRunningJobs } from "../../../src/store/upkeep/tenant-erasure.ts";
import { reconcileAll } from "../../../src/usecases/reconciling/reconcile-all.ts";
import { createLinkedCompanies, linkIdOf } from "../../support/linked-world.ts";

test("an erasure waits for the hour that a link shares with others", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const { tasks } = world.service.foundation;
  const linkIds = [await linkIdOf(world)];

  await reconcileAll(tasks, world.clock.now);
  const waiting = await countRunningJobs(tasks.db, linkIds);
  await sql`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'worker'`.execute(
    tasks.db,
  );
  const running = await countRunningJobs(tasks.db, linkIds);
  await sql`delete from graphile_worker._private_jobs`.execute(tasks.db);

  assert.deepEqual([waiting, running], [0, 1]);
});
