import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { type Database, openDatabase } from "../../../src/store/database.ts";
import { readFigures } from "../../../src/store/upkeep/figures.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const NOW = new Date("2026-07-01T09:00:00Z");

test("an empty database has figures, and none of them raises an alarm", async () => {
  await using world = await createWorld();

  const figures = await world.read();

  assert.deepEqual(figures, {
    queue: [],
    waiting: new Map(),
    parked: 0,
    links: new Map(),
    causes: new Map(),
    lagSeconds: 0,
    firstImportWaitSeconds: 0,
    missedRatio: 0,
    feed: { unpublished: 0, oldestSeconds: 0, refused: false },
    toErase: 0,
    budgets: [],
    connect: new Map(),
    connectOff: new Map(),
    slowed: new Map(),
    outage: null,
  });
});

test("jobs are counted as due, scheduled, running or out of attempts, with the age of the oldest due one", async () => {
  await using world = await createWorld();
  await world.addJob("import-envelope", ago({ minutes: 5 }));
  await world.addJob("import-envelope", ago({ minutes: 20 }));
  await world.addJob("import-envelope", ago({ minutes: -5 }));
  await world.addJob("import-envelope", ago({ hours: 9 }), "locked_at = now(), locked_by = 'pool'");
  await world.addJob("reconcile-link", ago({ hours: 8 }), "attempts = max_attempts");

  const { queue } = await world.read();

  assert.deepEqual(queue, [
    { task: "import-envelope", due: 2, later: 1, running: 1, failed: 0, oldestDueSeconds: 1200 },
    { task: "reconcile-link", due: 0, later: 0, running: 0, failed: 1, oldestDueSeconds: 0 },
  ]);
});

test("links are counted by state, and errors by cause", async () => {
  await using world = await createWorld();
  await world.addLink({ state: "'active'" });
  await world.addLink({ state: "'active'" });
  await world.addLink({ state: "'active'", paused_at: "now()" });
  await world.addLink({ state: "'error'", cause: "'not-admin'" });
  await world.addLink({ state: "'error'", cause: "'group-missing'", paused_at: "now()" });
  await world.addLink({ state: "'ended'", ended_at: "now()" });

  const { links, causes } = await world.read();

  assert.deepEqual(Object.fromEntries(links), { active: 2, paused: 1, error: 2, ended: 1 });
  assert.deepEqual(Object.fromEntries(causes), { "group-missing": 1, "not-admin": 1 });
});

test("the lag is that of the slower side of the active link that is furthest behind", async () => {
  await using world = await createWorld();
  const listed = { first_import_listed_at: moment(ago({ hours: 50 })) };
  await world.addLink({
    ...listed,
    sent_reached: moment(ago({ hours: 1 })),
    received_reached: moment(ago({ hours: 1 })),
  });
  await world.addLink({
    ...listed,
    sent_reached: moment(ago({ hours: 1 })),
    received_reached: moment(ago({ hours: 3 })),
  });
  await world.addLink({
    sent_reached: moment(ago({ hours: 90_000 })),
    received_reached: moment(ago({ hours: 90_000 })),
  });
  await world.addLink({
    ...listed,
    paused_at: moment(ago({ hours: 8 })),
    sent_reached: moment(ago({ hours: 8 })),
    received_reached: moment(ago({ hours: 8 })),
  });
  await world.addLink({
    ...listed,
    state: "'error'",
    cause: "'not-admin'",
    sent_reached: moment(ago({ hours: 9 })),
    received_reached: moment(ago({ hours: 9 })),
  });

  const { lagSeconds } = await world.read();

  assert.equal(lagSeconds, 3 * 3600);
});

test("a first import that has not started is reported, but not one that awaits approval", async () => {
  await using world = await createWorld();
  await world.addLink({ linked_at: moment(ago({ minutes: 70 })) });
  await world.addLink({
    linked_at: moment(ago({ hours: 70 })),
    first_import_started_at: moment(ago({ hours: 69 })),
  });
  await world.addLink({ linked_at: moment(ago({ hours: 70 })), state: "'awaiting-approval'" });

  const { firstImportWaitSeconds } = await world.read();

  assert.equal(firstImportWaitSeconds, 70 * 60);
});

test("waiting envelopes are counted by cause, parked ones separately", async () => {
  await using world = await createWorld();
  const link = await world.addLink({});
  await world.addEnvelope(link, "waiting", "docusign-unavailable", "now()");
  await world.addEnvelope(link, "waiting", "docusign-unavailable", "null");
  await world.addEnvelope(link, "waiting", "group-missing", "now()");
  await world.addEnvelope(link, "imported", "sent", "null");

  const { waiting, parked } = await world.read();

  assert.deepEqual(Object.fromEntries(waiting), { "docusign-unavailable": 2, "group-missing": 1 });
  assert.equal(parked, 1);
});

test("the share missed by events covers one day and ignores first imports", async () => {
  await using world = await createWorld();
  const link = await world.addLink({});
  await world.addReconciliation(link, "hourly", ago({ hours: 2 }), 1);
  await world.addReconciliation(link, "full", ago({ hours: 3 }), 1);
  await world.addReconciliation(link, "hourly", ago({ hours: 25 }), 500);
  await world.addReconciliation(link, "first", ago({ hours: 4 }), 9_000);
  for (let count = 0; count < 6; count += 1)
    await world.addEvent(link, "envelope-completed", ago({ hours: 1 }));
  await world.addEvent(link, "recipient-reassign", ago({ hours: 1 }));
  await world.addEvent(link, "envelope-completed", ago({ hours: 30 }));

  const { missedRatio } = await world.read();

  assert.equal(missedRatio, 2 / 8);
});

test("an hourly budget whose reset has passed counts as full, and old accounts are left out", async () => {
  await using world = await createWorld();
  await world.addBudget("1", {
    remaining: 12,
    resets: ago({ minutes: -10 }),
    paused: ago({ minutes: -1 }),
    observed: ago({ minutes: 1 }),
  });
  await world.addBudget("2", {
    remaining: 0,
    resets: ago({ minutes: 10 }),
    paused: ago({ minutes: 1 }),
    observed: ago({ minutes: 40 }),
  });
  await world.addBudget("3", {
    remaining: 5,
    resets: ago({ hours: 40 }),
    paused: ago({ hours: 40 }),
    observed: ago({ hours: 41 }),
  });

  const { budgets } = await world.read();

  assert.deepEqual(
    budgets.map(({ accountId, ...rest }) => ({ account: accountId.slice(-1), ...rest })),
    [
      { account: "1", limit: 3000, remaining: 12, paused: true },
      { account: "2", limit: 3000, remaining: 3000, paused: false },
    ],
  );
});

test("active links are counted by recorded notice, and their Connect configurations by state", async () => {
  await using world = await createWorld();
  await world.addLink({ notice_code: "'docusign-slow'" });
  await world.addLink({});
  await world.addLink({ state: "'error'", cause: "'not-admin'", notice_code: "'docusign-slow'" });

  const { connect, slowed } = await world.read();

  assert.deepEqual(Object.fromEntries(slowed), { "docusign-slow": 1 });
  assert.deepEqual(Object.fromEntries(connect), { active: 4 });
});

test("an outage of the document store counts until two minutes after its end", async () => {
  await using world = await createWorld();
  const ended = async (at: string) =>
    await world.run(`insert into document_store_outage (code, since, probe_at, ended_at)
      values ('ENOSPC', ${moment(ago({ hours: 1 }))}, now(), ${at})
      on conflict (only_row) do update set ended_at = excluded.ended_at`);

  await ended("null");
  assert.deepEqual((await world.read()).outage, { code: "ENOSPC", seconds: 3600 });
  await ended(moment(ago({ minutes: 1 })));
  assert.deepEqual((await world.read()).outage, { code: "ENOSPC", seconds: 3600 });
  await ended(moment(ago({ minutes: 2 })));

  assert.equal((await world.read()).outage, null);
});

test("unpublished changes and documents to erase are counted", async () => {
  await using world = await createWorld();
  const link = await world.addLink({});
  await world.addContract(link, { deleted: true, erased: false, published: false, at: ago({ minutes: 3 }) });
  await world.addContract(link, { deleted: true, erased: true, published: true, at: ago({ hours: 3 }) });
  await world.addContract(link, { deleted: false, erased: false, published: true, at: ago({ hours: 3 }) });

  const { feed, toErase } = await world.read();

  assert.deepEqual(feed, { unpublished: 1, oldestSeconds: 180, refused: false });
  assert.equal(toErase, 1);
});

async function createWorld() {
  const database = await createTestDatabase();
  const { db, close } = openDatabase(database.connectionString);
  const run = async (statement: string) => void (await sql.raw(statement).execute(db));
  return {
    run,
    read: async () => await readFigures(db, NOW),
    addLink: async (columns: Record<string, string>) => await addLink(db, columns),
    async addJob(task: string, runAt: Date, then = "priority = 0") {
      await run(
        `with job as (select graphile_worker.add_job('${task}', run_at := ${moment(runAt)}) as row) select from job`,
      );
      await run(
        `update graphile_worker._private_jobs set ${then} where id = (select max(id) from graphile_worker._private_jobs)`,
      );
    },
    async addEnvelope(link: string, state: string, reason: string, until: string) {
      await run(`insert into envelope (tenant, envelope_id, link_id, state, reason, found_by, found_at, waiting_until)
        select tenant, '${randomUUID()}', id, '${state}', '${reason}', 'event', now(), ${until} from link where id = '${link}'`);
    },
    async addReconciliation(link: string, kind: string, at: Date, missed: number) {
      await run(`insert into reconciliation (id, link_id, tenant, kind, state, window_from, window_to, side, cursor_from, started_at, unannounced)
        select '${randomUUID()}', id, tenant, '${kind}', 'done', now(), now(), 'sent', now(), ${moment(at)}, ${missed} from link where id = '${link}'`);
    },
    async addEvent(link: string, event: string, at: Date) {
      await run(`insert into connect_event (link_id, identity, format, event, envelope_id, received_at, body)
        values ('${link}', '${randomUUID()}', 'json-sim', '${event}', '${randomUUID()}', ${moment(at)}, '{}')`);
    },
    async addBudget(last: string, budget: { remaining: number; resets: Date; paused: Date; observed: Date }) {
      await run(`insert into account_budget (account_id, hourly_limit, remaining, resets_at, paused_until, observed_at)
        values ('00000000-0000-4000-8000-00000000000${last}', 3000, ${budget.remaining}, ${moment(budget.resets)}, ${moment(budget.paused)}, ${moment(budget.observed)})`);
    },
    async addContract(
      link: string,
      contract: { deleted: boolean; erased: boolean; published: boolean; at: Date },
    ) {
      const [id, envelope] = [randomUUID(), randomUUID()];
      await run(`insert into envelope (tenant, envelope_id, link_id, state, reason, found_by, found_at)
        select tenant, '${envelope}', id, 'imported', 'sent', 'event', now() from link where id = '${link}'`);
      await run(`insert into contract (id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on,
          completed_at, account_id, bytes, sha256, document_key, imported_at, deleted_at, erased_at)
        select '${id}', tenant, '${envelope}', '1', id, group_id, 'a.pdf', '2026-07-01', now(), account_id, 1, 'a', '${id}',
          now(), ${contract.deleted ? "now()" : "null"}, ${contract.erased ? "now()" : "null"} from link where id = '${link}'`);
      await run(`insert into change (tenant, type, contract_id, contract, recorded_at, sequence)
        values ('x', 'imported', '${id}', '{}', ${moment(contract.at)}, ${contract.published ? "nextval('change_sequence')" : "null"})`);
    },
    async [Symbol.asyncDispose]() {
      await close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Adds a link for a new tenant, active by default. The column values are SQL expressions. */
async function addLink(db: Database, columns: Record<string, string>): Promise<string> {
  const [id, tenant] = [randomUUID(), randomUUID()];
  await sql`insert into cabinet_group (tenant, id, name, created_at) values (${tenant}, 'g', 'G', now())`.execute(
    db,
  );
  const values: Record<string, string> = {
    state: "'active'",
    linked_at: moment(NOW),
    ...(columns["linked_at"] === undefined && { first_import_started_at: moment(NOW) }),
    ...columns,
  };
  await sql
    .raw(
      `insert into link (id, tenant, group_id, account_id, account_name, base_uri, user_id, user_name, approval,
        connect_sent, connect_received, ${Object.keys(values).join(", ")})
      values ('${id}', '${tenant}', 'g', gen_random_uuid(), 'A', 'https://demo.example', gen_random_uuid(), 'U', 'not-needed',
        'active', 'active', ${Object.values(values).join(", ")})`,
    )
    .execute(db);
  return id;
}

function ago({ hours = 0, minutes = 0 }: { hours?: number; minutes?: number }): Date {
  return new Date(NOW.getTime() - (hours * 60 + minutes) * 60_000);
}

function moment(at: Date): string {
  return `timestamptz '${at.toISOString()}'`;
}
