import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import pino from "pino";
import { openFileStore } from "../../src/documents/file-store.ts";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { openDatabase } from "../../src/store/database.ts";
import { prepareEventBodies, slotHours } from "../../src/store/events/event-bodies.ts";
import { recordEvents } from "../../src/store/events/record-events.ts";
import { required } from "../../src/store/rows.ts";
import { emptyEventBodies } from "../../src/usecases/keeping/empty-event-bodies.ts";
import { eraseDocuments } from "../../src/usecases/keeping/erase-documents.ts";
import { tidy } from "../../src/usecases/keeping/housekeeping.ts";
import { createMetrics } from "../../src/web/operations/metrics.ts";
import { anEvent } from "../store/events/recording-world.ts";
import { createTestDatabase, SLOT_HOURS } from "../support/postgres.ts";
import { until } from "../support/waiting.ts";

const NOON = new Date("2026-07-01T12:00:00Z");
/** The hour at which the document store is checked. */
const NIGHT = new Date("2026-07-01T18:30:00Z");
const DAY_MS = 24 * 60 * 60 * 1000;
const TWO_DAYS_MS = 2 * DAY_MS;
const EMPTYING = "empty-event-bodies";
const WAITING = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
const LINK = required(parseUuid<LinkId>("00000000-0000-4000-8000-000000000001"));

test("a slot's bodies are truncated once the newest of them is older than the retention; the events stay", async () => {
  await using world = await createWorld();
  const kept = [at("2026-06-01T12:00:00Z"), at("2026-06-02T12:00:00Z"), at("2026-07-01T11:00:00Z")];
  for (const moment of [at("2026-06-01T09:00:00Z"), at("2026-06-01T11:59:59.999Z"), ...kept])
    await world.record(moment);

  const report = await world.tidy(NOON);

  assert.deepEqual([report.slots, report.bodies, report.events], [1, 0, 0]);
  assert.deepEqual(await world.bodies(), kept);
  assert.equal(await world.count("connect_event"), 5);
});

test("slots that are due together are emptied one by one, half a minute after each other", async () => {
  await using world = await createWorld();
  const now = new Date();
  for (const hours of [3, 6, 9]) await world.record(hoursBefore(now, 30 * 24 + hours));

  assert.equal((await world.tidy(now)).slots, 1);
  assert.deepEqual(await world.emptyings(), [inHalfAMinute(now)]);
  assert.equal((await world.bodies()).length, 2);
  assert.equal(await world.runEmptying(now), 1);
  assert.deepEqual(await world.emptyings(), [inHalfAMinute(now)]);
  assert.equal((await world.bodies()).length, 1);
  assert.equal(await world.runEmptying(now), 1);
  assert.deepEqual([await world.emptyings(), await world.bodies()], [[], []]);
});

test("two processes that empty slots at once empty each slot once, and queue one job for the rest", async () => {
  await using world = await createWorld();
  const now = new Date();
  for (const hours of [3, 6, 9, 12]) await world.record(hoursBefore(now, 30 * 24 + hours));

  await Promise.all([world.runEmptying(now), world.runEmptying(now)]);

  assert.equal((await world.bodies()).length, 2);
  assert.deepEqual(await world.emptyings(), [inHalfAMinute(now)]);
});

test("a day's bodies that earlier versions put into one slot are truncated when the newest is older than the retention", async () => {
  await using world = await createWorld();
  await world.put(0, [at("2026-06-01T00:00:00Z"), at("2026-06-01T12:00:00Z")]);

  assert.deepEqual(await world.emptied(at("2026-07-01T12:00:00Z")), { slots: 0, bodies: 0 });
  assert.deepEqual(await world.emptied(at("2026-07-01T12:00:00.001Z")), { slots: 1, bodies: 0 });
});

test("bodies that share a slot with newer ones are deleted a day after the retention", async () => {
  await using world = await createWorld();
  const ringLater = new Date(at("2026-05-31T12:00:00Z").getTime() + world.ringMs);
  const moments = [at("2026-05-31T12:00:00Z"), at("2026-05-31T13:00:00Z"), ringLater];
  for (const moment of moments) await world.record(moment);

  assert.deepEqual(await world.emptied(at("2026-07-01T12:00:00Z")), { slots: 0, bodies: 0 });
  assert.deepEqual(await world.emptied(at("2026-07-01T13:00:00Z")), { slots: 0, bodies: 1 });
  assert.deepEqual(await world.bodies(), moments.slice(1));
});

test("a slot that waits for its turn is left to be truncated, however old its bodies are", async () => {
  await using world = await createWorld();
  for (const day of ["28", "29"]) await world.record(at(`2026-05-${day}T12:00:00Z`));

  assert.deepEqual(await world.emptied(NOON), { slots: 1, bodies: 0 });
  assert.deepEqual(await world.bodies(), [at("2026-05-29T12:00:00Z")]);
});

test("bodies kept for longer share longer slots, so that there are never too many", () => {
  const hours = [1, 122, 123, 247, 248, 497, 498, 3650].map(slotHours);

  assert.deepEqual(hours, [3, 3, 6, 6, 12, 12, 24, 24]);
});

test("a longer retention adds slots, a shorter one removes none, and no body is lost", async () => {
  await using world = await createWorld();
  const moments = [at("2026-06-20T12:00:00Z"), at("2026-06-25T12:00:00Z"), at("2026-07-01T11:00:00Z")];
  for (const moment of moments) await world.record(moment);

  await world.prepare(10);
  for (const moment of moments) await world.record(moment);
  await world.prepare(2);
  await world.tidy(NOON);

  assert.equal(await world.count("pg_inherits where inhparent = 'event_body'::regclass"), 13 * 8);
  assert.deepEqual(
    await world.bodies(),
    moments.flatMap((moment) => [moment, moment]),
  );
});

test("a slot that another session writes to is emptied at the next run, and others meanwhile", async () => {
  await using world = await createWorld();
  await world.put(0, [at("2026-05-30T12:00:00Z")]);
  await world.put(1, [at("2026-05-30T13:00:00Z")]);

  await world.whileHolding("lock table event_bodies.slot_0 in row exclusive mode", async () => {
    assert.equal((await world.tidy(NOON)).slots, 1);
    assert.equal(await world.runEmptying(NOON), 0);
  });

  assert.deepEqual(await world.bodies(), [at("2026-05-30T12:00:00Z")]);
  assert.deepEqual(await world.emptyings(), []);
  assert.equal((await world.tidy(NOON)).slots, 1);
});

test("a body that arrives while its slot is about to be truncated is kept, with the others", async () => {
  await using world = await createWorld();
  await world.put(0, [at("2026-05-30T12:00:00Z")]);

  const { emptied } = await world.whileHolding(
    "insert into event_body (slot, event_id, received_at, body) values (0, 1, '2026-07-01T12:00:00Z', '')",
    async (commit) => {
      const state = { isOver: false };
      const emptied = world.runEmptying(NOON).finally(() => void (state.isOver = true));
      // It gives up after a second, which may pass unseen on a busy machine.
      await until(async () => state.isOver || (await world.count(WAITING)) === 1, "the slot is waited for");
      await commit();
      return { emptied };
    },
  );

  assert.equal(await emptied, 0);
  assert.equal((await world.bodies()).length, 2);
});

test("events are forgotten after 400 days, or with their bodies if these are kept longer; forwardings stay", async () => {
  await using world = await createWorld();
  await world.addEvents(600, days(401));
  await world.addEvents(2, days(399));
  await world.run(`insert into forwarding (tenant, envelope_id, event_id, position)
    select 't', gen_random_uuid(), min(id), 0 from connect_event`);

  assert.equal((await world.tidy(NOON, { eventRetentionDays: 401 })).events, 0);
  assert.equal((await world.tidy(NOON)).events, 600);

  assert.equal(await world.count("connect_event"), 2);
  assert.equal(await world.count("forwarding"), 1);
});

test("all bodies that version 0.1 stored are deleted after the configured number of days; the events stay", async () => {
  await using world = await createWorld();
  await world.addEvents(1_200, days(31));
  await world.addEvents(3, days(29));

  const report = await world.tidy(NOON);

  assert.equal(report.bodies, 1_200);
  assert.equal(await world.count("connect_event where body is not null"), 3);
  assert.equal(await world.count("connect_event"), 1_203);
});

test("a run stops after five minutes, and the next hour's run continues", async () => {
  await using world = await createWorld();
  await world.addEvents(1_200, days(31));
  const fiveMinutes = 5 * 60 * 1000;

  const [first, second] = [
    await world.tidySlowly(NOON, fiveMinutes),
    await world.tidySlowly(NOON, fiveMinutes - 1),
  ];

  assert.deepEqual([first.bodies, second.bodies], [500, 700]);
});

test("rows that another session has locked are left to the next hour, without waiting", async () => {
  await using world = await createWorld();
  await world.addEvents(2, days(31));

  const report = await world.whileHolding(
    "select from connect_event where id = (select min(id) from connect_event) for update",
    async () => await world.tidy(NOON),
  );

  assert.equal(report.bodies, 1);
  assert.equal((await world.tidy(NOON)).bodies, 1);
});

test("pending linkings, sign-ins and sessions are deleted when they expire, not earlier", async () => {
  await using world = await createWorld();
  for (const at of [days(1), days(-1)]) {
    await world.run(`insert into linking values ('\\x${hex()}', 't', 's', 'g', 'c', ${moment(at)})`);
    await world.run(`insert into sign_in values ('\\x${hex()}', 'c', 'n', '/', ${moment(at)})`);
    await world.run(`insert into page_session (id_hash, tenant, subject, role, csrf_token, started_at, expires_at)
      values ('\\x${hex()}', 't', 's', 'owner', 'c', ${moment(at)}, ${moment(at)})`);
  }

  await world.tidy(NOON);

  for (const table of ["linking", "sign_in", "page_session"])
    assert.equal(await world.count(table), 1, table);
});

test("reconciliations are kept for 400 days, a link's first one forever", async () => {
  await using world = await createWorld();
  await world.addReconciliation("hourly", "done", days(401));
  await world.addReconciliation("full", "failed", days(401));
  await world.addReconciliation("hourly", "done", days(399));
  await world.addReconciliation("first", "done", days(900));
  await world.addReconciliation("hourly", "running", days(900));

  const report = await world.tidy(NOON);

  assert.equal(report.reconciliations, 2);
  assert.equal(await world.count("reconciliation"), 3);
});

test("jobs that ran out of attempts are kept for 30 days for inspection", async () => {
  await using world = await createWorld();
  await world.addJob(days(31), "attempts = max_attempts");
  await world.addJob(days(29), "attempts = max_attempts");
  await world.addJob(days(31), "attempts = 1");

  const report = await world.tidy(NOON);

  assert.equal(report.failedJobs, 1);
  assert.equal(await world.count("graphile_worker.jobs"), 2);
});

test("at night, documents that belong to no contract are erased, and no others", async () => {
  await using world = await createWorld();
  const imported = await world.addContract();
  const underWay = await world.addStored();
  const orphan = await world.addDocument(`contracts/${randomUUID()}`, days(3));
  const fresh = await world.addDocument(`contracts/${randomUUID()}`, new Date(NIGHT.getTime() - TWO_DAYS_MS));
  const foreign = await world.addDocument(`other/${randomUUID()}`, days(3));

  const report = await world.tidy(NIGHT);

  assert.deepEqual(report.orphans, { examined: 3, orphans: 1, erased: 1 });
  assert.deepEqual(await world.documents(), [imported, underWay, fresh, foreign].sort());
  assert.ok(!(await world.documents()).includes(orphan));
});

test("a contract's document stays even if its entry in the list of stored documents is lost", async () => {
  await using world = await createWorld();
  const key = await world.addContract();
  await world.run("delete from stored_document");

  await world.tidy(NIGHT);

  assert.deepEqual(await world.documents(), [key]);
});

test("by day the document store is not checked", async () => {
  await using world = await createWorld();
  await world.addDocument(`contracts/${randomUUID()}`, days(3));

  const report = await world.tidy(NOON);

  assert.equal(report.orphans, null);
  assert.equal((await world.documents()).length, 1);
});

test("if most documents belong to no contract, the database is distrusted and nothing is erased", async () => {
  await using world = await createWorld();
  for (let count = 0; count < 25; count += 1) await world.addDocument(`contracts/${randomUUID()}`, days(3));

  const report = await world.tidy(NIGHT);

  assert.deepEqual(report.orphans, { examined: 25, orphans: 25, erased: 0 });
  assert.equal((await world.documents()).length, 25);
  const { examined, orphans, msg } = JSON.parse(world.logged());
  assert.deepEqual(
    [examined, orphans, msg],
    [25, 25, "too many documents belong to no contract: none were erased"],
  );
  assert.match(await world.metrics.registry.metrics(), /^torikomi_orphan_cleanups_refused_total 1$/m);
});

test("up to twenty orphaned documents are erased, however few other documents there are", async () => {
  await using world = await createWorld();
  await world.addDocuments(20, days(3));

  const report = await world.tidy(NIGHT);

  assert.deepEqual(report.orphans, { examined: 20, orphans: 20, erased: 20 });
});

test("every document is checked, however many there are", async () => {
  await using world = await createWorld();
  await world.addDocuments(501, days(3));

  const report = await world.tidy(NIGHT);

  assert.equal(report.orphans?.examined, 501);
});

test("the entry of an erased document is removed, and the document is erased again if a restored backup brings it back", async () => {
  await using world = await createWorld();
  const key = await world.addContract("deleted_at = now()");
  await world.erase();
  assert.deepEqual(await world.documents(), []);
  assert.equal(await world.count("stored_document"), 0);
  await world.addDocument(key, days(3));

  const report = await world.tidy(NIGHT);

  assert.equal(report.orphans?.erased, 1);
  assert.deepEqual(await world.documents(), []);
});

test("all deleted contracts are erased in one run, even if they take more than one query", async () => {
  await using world = await createWorld();
  for (let contract = 0; contract < 101; contract += 1) await world.addContract("deleted_at = now()");

  await world.erase();

  assert.deepEqual(await world.documents(), []);
});

test("look-ups of past hours are deleted, those of this hour and the one before are kept", async () => {
  await using world = await createWorld();
  for (const hour of ["09:00", "10:00", "12:00"]) {
    const at = `'2026-07-01T${hour}:00Z'`;
    await world.run(`insert into lookup_budget (tenant, hour, calls) values ('acme', ${at}, 60)`);
    await world.run(
      `insert into lookup_miss (link_id, envelope_id, tenant, missed_at) values ('${LINK}', gen_random_uuid(), 'acme', ${at})`,
    );
  }

  await world.tidy(NOON);

  assert.equal(await world.count("lookup_budget where hour >= '2026-07-01T10:00:00Z'"), 2);
  assert.deepEqual([await world.count("lookup_budget"), await world.count("lookup_miss")], [2, 2]);
});

const ERASURE = "graphile_worker.jobs where task_identifier = 'erase-documents' and attempts = 0";

test("an erasure whose job was lost or ran out of attempts is queued again", async () => {
  await using world = await createWorld();
  await world.addContract("deleted_at = now()");

  await world.tidy(NOON);
  assert.equal(await world.count(ERASURE), 1);
  await world.run("update graphile_worker._private_jobs set attempts = max_attempts");
  await world.tidy(NOON);

  assert.equal(await world.count(ERASURE), 1);
});

test("no erasure is queued if nothing is left to erase", async () => {
  await using world = await createWorld();
  await world.addContract();
  await world.addContract("deleted_at = now()");
  await world.erase();

  await world.tidy(NOON);

  assert.equal(await world.count(ERASURE), 0);
});

async function createWorld() {
  const database = await createTestDatabase();
  const { db, pool, close } = openDatabase(database.connectionString);
  const folder = await mkdtemp(join(tmpdir(), "torikomi-tidy-"));
  const documents = await openFileStore(folder);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const metrics = createMetrics("1.2.3");
  const run = async (statement: string) => void (await sql.raw(statement).execute(db));
  const world = {
    run,
    metrics,
    logged: () => lines.join(""),
    tidy: async (at: Date, { eventRetentionDays = 30 } = {}) =>
      await tidy({ db, documents, log, metrics, now: () => at, eventRetentionDays }),
    /** The time after which bodies go into the same slot again. */
    ringMs: 4 * DAY_MS,
    emptied: async (at: Date) => {
      const { slots, bodies } = await world.tidy(at);
      return { slots, bodies };
    },
    /** Ends the waiting job and runs it. */
    runEmptying: async (at: Date) => {
      await run(`delete from graphile_worker._private_jobs where key = '${EMPTYING}'`);
      return await emptyEventBodies({ db, eventRetentionDays: 30 }, at);
    },
    /** When the jobs that empty slots are due. */
    emptyings: async () => {
      const { rows } = await sql<{ run_at: Date }>`
        select run_at from graphile_worker.jobs where task_identifier = ${EMPTYING}`.execute(db);
      return rows.map((row) => row.run_at);
    },
    put: async (slot: number, moments: readonly Date[]) => {
      for (const moment of moments)
        await sql`insert into event_body (slot, event_id, received_at, body) values (${slot}, 1, ${moment}, '')`.execute(
          db,
        );
    },
    prepare: async (retentionDays: number) => await prepareEventBodies(db, retentionDays),
    record: async (receivedAt: Date) =>
      assert.deepEqual(await recordEvents(pool, [anEvent({ linkId: LINK, receivedAt })], SLOT_HOURS), [
        "recorded",
      ]),
    /** When the bodies that are still there were received. */
    bodies: async () =>
      (await db.selectFrom("event_body").select("received_at").orderBy("received_at").execute()).map(
        (row) => row.received_at,
      ),
    /** Runs with a clock that advances by `passing` milliseconds between two reads. */
    tidySlowly: async (at: Date, passing: number) => {
      const clock = { now: at.getTime() - passing };
      const now = (): Date => new Date((clock.now += passing));
      return await tidy({ db, documents, log, metrics, now, eventRetentionDays: 30 });
    },
    erase: async () => await eraseDocuments({ db, documents, now: () => NOON }),
    async documents() {
      const keys: string[] = [];
      for await (const { key } of documents.list()) keys.push(key);
      return keys.sort();
    },
    async count(from: string) {
      const { rows } = await sql<{
        count: number;
      }>`select count(*)::int as count from ${sql.raw(from)}`.execute(db);
      return rows[0]?.count;
    },
    async whileHolding<T>(
      statement: string,
      work: (commit: () => Promise<unknown>) => Promise<T>,
    ): Promise<T> {
      const session = await pool.connect();
      try {
        await session.query("begin");
        await session.query(statement);
        return await work(async () => await session.query("commit"));
      } finally {
        await session.query("rollback");
        session.release();
      }
    },
    async addEvents(count: number, at: Date) {
      await run(`insert into connect_event (link_id, identity, format, event, received_at, body)
        select '${LINK}', gen_random_uuid()::text, 'xml', 'envelope-completed', ${moment(at)}, 'body' from generate_series(1, ${count})`);
    },
    async addReconciliation(kind: string, state: string, at: Date) {
      await run(`insert into reconciliation (id, link_id, tenant, kind, state, window_from, window_to, side, cursor_from, started_at)
        values ('${randomUUID()}', '${LINK}', 't', '${kind}', '${state}', now(), now(), 'sent', now(), ${moment(at)})`);
    },
    async addJob(at: Date, then: string) {
      await run("select graphile_worker.add_job('some-task')");
      await run(`update graphile_worker._private_jobs set updated_at = ${moment(at)}, ${then}
        where id = (select max(id) from graphile_worker._private_jobs)`);
    },
    async addDocument(key: string, modifiedAt: Date) {
      await documents.put(key, chunks());
      for (const path of await readdir(folder, { recursive: true })) {
        if (path.endsWith(key.replaceAll("/", "_"))) await utimes(join(folder, path), modifiedAt, modifiedAt);
      }
      return key;
    },
    async addDocuments(count: number, modifiedAt: Date) {
      for (let added = 0; added < count; added += 1)
        await documents.put(`contracts/${randomUUID()}`, chunks());
      for (const path of await readdir(folder, { recursive: true }))
        await utimes(join(folder, path), modifiedAt, modifiedAt);
    },
    /** Adds a stored document with its entry, whose contract is not committed yet. */
    async addStored(envelope: string = randomUUID()) {
      const key = await world.addDocument(`contracts/${randomUUID()}`, days(3));
      await run(`insert into stored_document values ('t', '${envelope}', '1', '${key}', 3, 'a', now())`);
      return key;
    },
    async addContract(then = "pages = 1") {
      const envelope = randomUUID();
      const key = await world.addStored(envelope);
      await run(`insert into envelope (tenant, envelope_id, link_id, state, reason, found_by, found_at)
        values ('t', '${envelope}', '${LINK}', 'imported', 'sent', 'event', now())`);
      await run(`insert into contract (id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on,
          completed_at, account_id, bytes, sha256, document_key, imported_at)
        values ('${randomUUID()}', 't', '${envelope}', '1', '${LINK}', 'g', 'a.pdf', '2026-07-01', now(),
          gen_random_uuid(), 3, 'a', '${key}', now())`);
      await run(`update contract set ${then} where document_key = '${key}'`);
      return key;
    },
    async [Symbol.asyncDispose]() {
      await close();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
  await run("insert into cabinet_group (tenant, id, name, created_at) values ('t', 'g', 'G', now())");
  await run(`insert into link (id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name,
      linked_at, approval, connect_sent, connect_received)
    values ('${LINK}', 't', 'g', 'active', gen_random_uuid(), 'A', 'https://demo.example', gen_random_uuid(), 'U', now(),
      'not-needed', 'active', 'active')`);
  return world;
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("pdf");
}

/** Returns the time this number of days before noon; a negative number is after it. */
function at(text: string): Date {
  return new Date(text);
}

function days(count: number): Date {
  return new Date(NOON.getTime() - count * 24 * 60 * 60 * 1000);
}

function hoursBefore(moment: Date, hours: number): Date {
  return new Date(moment.getTime() - hours * 60 * 60 * 1000);
}

function inHalfAMinute(now: Date): Date {
  return new Date(now.getTime() + 30_000);
}

function moment(at: Date): string {
  return `timestamptz '${at.toISOString()}'`;
}

function hex(): string {
  return randomUUID().replaceAll("-", "");
}
