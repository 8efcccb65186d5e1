import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import pg from "pg";
import { openNotifier } from "../../src/store/notifier.ts";
import { theLink } from "../cli/concluded.ts";
import { minimalEvent, post } from "../support/connect.ts";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { until } from "../support/waiting.ts";
import { createWorld, type World } from "../support/world.ts";

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
