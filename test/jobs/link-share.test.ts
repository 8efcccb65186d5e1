import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "graphile-worker";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { createLinkShare } from "../../src/jobs/link-share.ts";
import { openDatabase } from "../../src/store/database.ts";
import { enqueueBacklog } from "../../src/store/queue/queue.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";

test("a link whose imports hang leaves workers to other links, however many jobs it has", async () => {
  await using world = await createWorkers(4);
  const [busy, other] = [newLinkId(), newLinkId()];
  await world.queue(other);
  await world.start();
  await until(() => world.running(other) === 1);

  for (let job = 0; job < 12; job += 1) await world.queue(busy);
  await until(() => world.running(busy) === 2);
  await world.queue(other);

  await until(() => world.running(other) === 2);
  assert.equal(world.running(busy), 2);
});

test("a link on its own gets more workers, but one stays free for other links", async () => {
  await using world = await createWorkers(4);
  const [busy, other] = [newLinkId(), newLinkId()];
  for (let job = 0; job < 12; job += 1) await world.queue(busy);
  await world.start();
  await until(() => world.running(busy) === 3);

  await world.queue(other);

  await until(() => world.running(other) === 1);
  assert.equal(world.running(busy), 3);
});

test("jobs that had to wait for their link's share all run in the end, each once", async () => {
  await using world = await createWorkers(3);
  const link = newLinkId();
  for (let job = 0; job < 9; job += 1) await world.queue(link);
  await world.start();
  await until(() => world.running(link) === 2);

  world.release();

  await until(() => world.done.length === 9);
  assert.equal(new Set(world.done).size, 9);
});

test("a single worker takes any job", async () => {
  await using world = await createWorkers(1);
  const link = newLinkId();
  await world.queue(link);
  world.release();

  await world.start();

  await until(() => world.done.length === 1);
});

/** Workers of a process whose imports hang until they are released. */
async function createWorkers(concurrency: number) {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await createTestDatabase());
  const { db, pool } = opened.adopt(
    openDatabase(database.connectionString),
    async (one) => await one.close(),
  );
  const share = createLinkShare(concurrency);
  const released = Promise.withResolvers<void>();
  const running: string[] = [];
  const done: number[] = [];
  let lane = 0;
  const hang = share.within(async (payload: any) => {
    running.push(payload.linkId);
    await released.promise;
    running.splice(running.indexOf(payload.linkId), 1);
    done.push(payload.lane);
  });
  const start = async (): Promise<void> => {
    const runner = await run({
      pgPool: pool,
      concurrency,
      pollInterval: 100,
      noHandleSignals: true,
      logger: silentWorkerLog,
      taskList: { "import-backlog": hang },
      forbiddenFlags: share.fullFlags,
    });
    kept.defer(async () => {
      released.resolve();
      await runner.stop();
    });
  };
  const kept = opened.move();
  return {
    start,
    done,
    release: () => released.resolve(),
    running: (linkId: LinkId) => running.filter((one) => one === linkId).length,
    queue: async (linkId: LinkId) => {
      lane += 1;
      await enqueueBacklog(db, { linkId, lane, runAt: null, first: false });
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

function newLinkId(): LinkId {
  const id = parseUuid<LinkId>(randomUUID());
  assert.ok(id);
  return id;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400 && !isSo(); attempt += 1) await pause(25);
  assert.ok(isSo(), "the condition was not met in time");
}
