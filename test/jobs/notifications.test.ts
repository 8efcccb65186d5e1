import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import pg from "pg";
import { startWorker } from "../../src/jobs/worker.ts";
import { startWorkerLock } from "../../src/jobs/worker-pools.ts";
import { openNotifier } from "../../src/store/notifier.ts";
import { storeTestContract, storeTestLink } from "../api/stored.ts";
import { theLink } from "../cli/concluded.ts";
import { minimalEvent, post } from "../support/connect.ts";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { allowConnections } from "../support/postgres.ts";
import { until } from "../support/waiting.ts";
import { type Answer, createWorld, type World } from "../support/world.ts";

test("only the notifier sends notifications, for changes and for events that need an import", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await using heard = await listen(world);

  const link = await theLink(world);
  const unrelated = minimalEvent({ event: "envelope-sent" }, { accountId: link.account.id });
  assert.equal((await post(world, link.id, unrelated)).status, 200);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await world.runHour();
  const [contract] = await world.contracts();
  const api = await world.api();
  assert.equal((await api.send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
  await world.runJobs();

  await until(() => heard.count("torikomi_changes") === 2, "notifications of the import and of the deletion");
  assert.equal(heard.count("jobs:insert"), 1);
  assert.deepEqual(heard.senders(), await listNotifiers(world));
});

test("the notifier merges what comes in while it is busy", async () => {
  await using world = await createWorld();
  await using heard = await listen(world);
  const notifier = openNotifier(world.database.connectionString);

  for (let count = 0; count < 100; count += 1) {
    notifier.queued(1);
    notifier.changed("tenant-1");
  }
  await notifier.close();
  await until(() => heard.count("torikomi_changes") > 0, "the notification");

  assert.deepEqual(heard.payloads("jobs:insert"), ['{"count":100}']);
  assert.deepEqual(heard.payloads("torikomi_changes"), ["tenant-1"]);
});

test("readers of a process get what it commits although it hears no notification", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const api = await world.api();
  await api.get("/v1/changes");
  let queries = 0;
  world.service.foundation.serving.pool.on("release", () => (queries += 1));

  let answer: Answer | null = null;
  const reading = api.get("/v1/changes?wait=30").then((page) => (answer = page));
  // It reads, then waits.
  await until(() => queries === 1, "the reader waits");
  await allowConnections(world.database, false);
  await endListeners(world);
  await storeTestContract(world, { linkId });
  await until(() => answer !== null, "the reader has the contract", 15_000);
  await allowConnections(world.database, true);

  assert.equal((await reading).body.items.length, 1);
});

test("an idle worker looks for jobs at once when it is nudged, until it stops", async () => {
  await using world = await createWorld();
  const { address, tasks, working, log } = world.service.foundation;
  const lock = startWorkerLock(address);
  const settings = { concurrency: 1, shutdownTimeoutMs: 1_000, events: lock.events };
  const worker = await startWorker(tasks, { ...settings, pgPool: working.pool, log });
  let asked = 0;
  const taken: number[] = [];
  lock.events.on("worker:getJob:start", () => (asked += 1));
  // In one turn of the event loop, so that the worker does not ask by itself.
  const nudge = (): number => {
    asked = 0;
    taken.push(worker.nudge(3));
    return asked;
  };

  try {
    await until(() => nudge() === 1, "the idle worker asks", 10_000);
  } finally {
    await worker.stop();
  }
  const asksLater = nudge();
  await lock.close();
  assert.equal(asksLater, 0);
  assert.deepEqual(taken.slice(-2), [1, 0]);
});

test("the notifier calls back at once for news of this process", async () => {
  const notifier = openNotifier("postgres://127.0.0.1:9/nowhere");
  const heard: unknown[] = [];
  const queued = (jobs: number): number => {
    heard.push(jobs);
    return jobs;
  };
  notifier.shortcut({ changed: (tenant) => heard.push(tenant), queued });

  notifier.changed("tenant-1");
  notifier.queued(3);

  await until(() => heard.length === 2, "both are heard");
  assert.deepEqual(heard, ["tenant-1", 3]);
  await notifier.close();
});

test("other processes are woken for the jobs that no idle worker of this process takes", async () => {
  await using world = await createWorld();
  await using listener = await listen(world);
  const notifier = openNotifier(world.service.foundation.address);
  notifier.shortcut({ queued: () => 2 });

  notifier.queued(5);
  await until(() => listener.count("jobs:insert") === 1, "other processes hear of it");
  notifier.queued(2);
  notifier.queued(4);
  await notifier.close();
  await sql`notify "jobs:insert", 'the end'`.execute(world.service.foundation.working.db);
  await until(() => listener.payloads("jobs:insert").includes("the end"), "what was sent has arrived");

  assert.deepEqual(listener.payloads("jobs:insert"), ['{"count":3}', '{"count":2}', "the end"]);
});

test("a notifier that is closed at once sends its only news before it ends its connection", async () => {
  await using world = await createWorld();
  await using listener = await listen(world);
  const before = await listNotifiers(world);
  const notifier = openNotifier(world.service.foundation.address);

  notifier.queued(2);
  await notifier.close();

  await until(() => listener.count("jobs:insert") === 1, "what was sent has arrived");
  await until(
    async () => (await listNotifiers(world)).length === before.length,
    "its connection ends",
    5_000,
  );
});

/** The process must not hear its own notifications. */
async function endListeners({ service }: World): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'torikomi change news' and datname = current_database()`.execute(
    service.foundation.working.db,
  );
}

async function listen({ database }: World) {
  const client = new pg.Client({ connectionString: database.connectionString });
  const heard: pg.Notification[] = [];
  client.on("notification", (notification) => heard.push(notification));
  await client.connect();
  await client.query('listen "jobs:insert"; listen torikomi_changes');
  const on = (name: string): pg.Notification[] => heard.filter(({ channel }) => channel === name);
  return {
    count: (name: string) => on(name).length,
    payloads: (name: string) => on(name).map(({ payload }) => payload),
    senders: () => [...new Set(heard.map(({ processId }) => processId))],
    [Symbol.asyncDispose]: async () => await client.end(),
  };
}

async function listNotifiers({ service }: World): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`
    select pid from pg_stat_activity
    where datname = current_database() and application_name = 'torikomi notifier'`.execute(
    service.foundation.working.db,
  );
  return rows.map(({ pid }) => pid);
}
