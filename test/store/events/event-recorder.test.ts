import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { parseConnectMessage } from "../../../src/docusign/connect/connect-message.ts";
import { type EnvelopeId, type LinkId, parseUuid } from "../../../src/domain/identifiers.ts";
import { type OpenDatabase, openDatabase } from "../../../src/store/database.ts";
import { createEventRecorder, RecorderFull } from "../../../src/store/events/event-recorder.ts";
import {
  type ConnectEvent,
  type Recorded,
  type Recording,
  recordEvents,
} from "../../../src/store/events/record-events.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const LIMITS = { batch: 100, waiting: 1_000, waitingBytes: 1_000_000, writers: 1 };

test("a lone event is written at once, and answered only when its commit is done", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, LIMITS);
  const order: string[] = [];

  const recording = recorder.record(anEvent()).then(() => order.push("answered"));

  assert.deepEqual(writer.sizes(), [1]);
  await Promise.resolve();
  order.push("committed");
  writer.commit();
  await recording;
  assert.deepEqual(order, ["committed", "answered"]);
});

test("events that come while a commit is under way share the next one, in the order they came", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, batch: 3 });
  const events = Array.from({ length: 6 }, () => anEvent());

  const recordings = events.map(async (event) => await recorder.record(event));
  while (writer.commit()) await settled();
  await Promise.all(recordings);

  assert.deepEqual(writer.sizes(), [1, 3, 2]);
  assert.deepEqual(writer.batches.flat(), events);
});

test("another commit is begun where a full one waits, never more than there are writers", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, batch: 3, writers: 2 });
  const record = (count: number) =>
    Array.from({ length: count }, async () => await recorder.record(anEvent()));

  const recordings = record(3);
  assert.deepEqual(writer.sizes(), [1]);
  recordings.push(...record(1));
  assert.deepEqual(writer.sizes(), [1, 3]);
  recordings.push(...record(5));
  assert.deepEqual(writer.sizes(), [1, 3]);

  while (writer.commit()) await settled();
  await Promise.all(recordings);
  assert.deepEqual(writer.sizes(), [1, 3, 3, 2]);
});

test("large bodies share no commit, so that none waits for many of them", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, waitingBytes: 100_000_000 });
  const megabytes = (count: number): ConnectEvent => anEvent({ body: Buffer.alloc(count * 1024 * 1024) });

  const recordings = [1, 3, 1, 1, 9, 1].map(async (size) => await recorder.record(megabytes(size)));
  while (writer.commit()) await settled();
  await Promise.all(recordings);

  assert.deepEqual(writer.sizes(), [1, 2, 1, 1, 1]);
});

test("what is more than may wait is refused, by number and by bytes, until commits make room", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, waiting: 2, waitingBytes: 100 });
  const body = (length: number): ConnectEvent => anEvent({ body: Buffer.alloc(length) });

  const small = [recorder.record(body(1)), recorder.record(body(1))];
  await assert.rejects(recorder.record(body(1)), RecorderFull);
  while (writer.commit()) await settled();
  await Promise.all(small);
  const large = recorder.record(body(99));
  await assert.rejects(recorder.record(body(2)), RecorderFull);
  const beside = recorder.record(body(1));
  while (writer.commit()) await settled();

  assert.deepEqual(await Promise.all([large, beside]), ["recorded", "recorded"]);
});

test("while the database is away every waiting event fails at the next attempt, and later ones are tried anew", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, LIMITS);
  const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

  const recordings = Array.from({ length: 50 }, async () => await recorder.record(anEvent()));
  const outcomes = Promise.allSettled(recordings);
  while (writer.fail(away)) await settled();

  assert.deepEqual(
    (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason),
    recordings.map(() => away),
  );
  assert.deepEqual(writer.sizes(), [1, 49]);
  const again = recorder.record(anEvent());
  writer.commit();
  assert.equal(await again, "recorded");
});

test("one event that the database refuses fails alone", async () => {
  await using world = await createWorld();
  const recorder = createEventRecorder(world.write, LIMITS);
  const person = { recipientId: "1", userId: null, email: "a\0@example.com" };
  const poisoned = [
    world.event({ event: "a\0b" }),
    world.event({ forwardings: [{ from: person, to: person }] }),
    world.event({ format: JSON.parse(`"telex"`) }),
  ];
  const events = Array.from({ length: 60 }, (_, index) => poisoned[index / 20] ?? world.event());

  const outcomes = await Promise.allSettled(events.map(async (event) => await recorder.record(event)));

  const failed = outcomes.flatMap((outcome, index) => (outcome.status === "rejected" ? [index] : []));
  assert.deepEqual(failed, [0, 20, 40]);
  assert.deepEqual(await world.count(), { events: 57, jobs: 57 });
});

test("no text that a signed message may hold is poison", async () => {
  await using world = await createWorld();
  const nasty = "\0 \ud800 \u202e \\ ' \" {} \\x00 NULL";
  const recipient = (id: string): object => ({
    recipientId: id,
    recipientIdGuid: nasty,
    name: nasty,
    email: nasty,
    status: "completed",
    delegatedBy: [{ name: nasty, email: `${nasty} by`, userId: nasty }],
  });
  const messages = ["envelope-completed", "recipient-reassign", "recipient-delegate"].map((event) => ({
    event,
    configurationId: nasty,
    generatedDateTime: "9999-12-31T23:59:59Z",
    data: {
      envelopeId: randomUUID(),
      recipientId: `${nasty} 1`,
      reassignedRecipientId: `${nasty} 2`,
      envelopeSummary: { recipients: { signers: [recipient(`${nasty} 1`), recipient(`${nasty} 2`)] } },
    },
  }));

  const events = messages.map((message) => world.received(JSON.stringify(message)));
  const outcomes = await recordEvents(world.pool, events);

  assert.deepEqual(outcomes, ["recorded", "recorded", "recorded"]);
  assert.ok((await world.forwardings()).length > 0);
});

test("bodies are stored byte by byte, empty ones included, and forwardings with their events", async () => {
  await using world = await createWorld();
  const place = (recipientId: string) => ({ recipientId, userId: null, email: null });
  const forwardings = [
    { from: place("1"), to: place("2") },
    { from: place("2"), to: place("3") },
  ];
  const all = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
  const events = [
    world.event({ body: all.subarray(3, 300) }),
    world.event({ body: Buffer.alloc(0) }),
    world.event({ body: Buffer.from([0]), forwardings }),
    world.event({ body: all }),
  ];

  await recordEvents(world.pool, events);

  for (const { envelopeId, body } of events)
    assert.deepEqual(await world.bodyOf(envelopeId), Buffer.from(body));
  const told = await world.forwardings();
  assert.deepEqual(
    told.map(({ envelope_id, from_recipient_id: from, to_recipient_id: to }) => [envelope_id, from, to]),
    [
      [events[2]?.envelopeId, "1", "2"],
      [events[2]?.envelopeId, "2", "3"],
    ],
  );
});

test("repeats within a batch and before it are told from what is new, link by link", async () => {
  await using world = await createWorld();
  const event = world.event();
  const otherLink = { ...event, linkId: await world.addLink() };
  const unknownLink = { ...event, linkId: id<LinkId>() };
  const endedLink = { ...event, linkId: await world.addLink("ended") };

  const first = await recordEvents(world.pool, [event, unknownLink, event, otherLink, endedLink]);
  const again = await recordEvents(world.pool, [world.event(), event]);

  assert.deepEqual(first, ["recorded", "no-link", "repeat", "recorded", "no-link"]);
  assert.deepEqual(again, ["recorded", "repeat"]);
  assert.deepEqual(await world.count(), { events: 3, jobs: 3 });
});

test("two events of one batch about the same envelope queue one import, for the sooner moment", async () => {
  await using world = await createWorld();
  const later = world.event({ identity: "first", import: { at: new Date("2031-01-01T01:00:00Z") } });
  const sooner = { ...later, identity: "second", import: { at: new Date("2031-01-01T00:00:00Z") } };
  const atOnce = world.event({ identity: "third", import: { at: null } });
  const inAnHour = { ...atOnce, identity: "fourth", import: later.import };

  const outcomes = await recordEvents(world.pool, [later, sooner, atOnce, inAnHour]);

  assert.deepEqual(outcomes, ["recorded", "recorded", "recorded", "recorded"]);
  const [now, next, ...others] = await world.jobTimes();
  assert.ok(now !== undefined && now <= new Date());
  assert.deepEqual([next, others], [sooner.import.at, []]);
});

test("events that ask for no import wake no worker", async () => {
  await using world = await createWorld();
  await using jobs = await world.listenForJobs();

  await recordEvents(world.pool, [world.event({ import: null }), world.event({ import: null })]);
  assert.deepEqual(await jobs.heard(), 0);
  await recordEvents(world.pool, [world.event(), world.event({ import: null })]);

  assert.deepEqual(await jobs.heard(), 1);
  assert.deepEqual(await world.count(), { events: 4, jobs: 1 });
});

test("batches with the same events in another order wait for one another without deadlock", async () => {
  await using world = await createWorld();
  const events = Array.from({ length: 100 }, () => world.event());
  const hold = Promise.withResolvers<void>();
  const held = world.inTransaction(async (recording) => {
    await recordEvents(recording, events.slice(50, 51));
    await hold.promise;
  });

  const batches = [events, events.toReversed()].map(async (batch) => await recordEvents(world.pool, batch));
  await world.untilBlocked(batches.length);
  hold.resolve();
  await held;
  const outcomes = (await Promise.all(batches)).flat();

  assert.equal(outcomes.filter((outcome) => outcome === "recorded").length, 99);
  assert.deepEqual(await world.count(), { events: 100, jobs: 100 });
});

test("the statement that was planned over an empty queue does not walk through a full one", async () => {
  const read = await rowsReadOnceGrown("_private_jobs", async (world) => await world.fillQueue(5_000));

  assert.equal(read.walked, 0);
});

test("the statement that was planned when there was one link reads one link when there are thousands", async () => {
  const read = await rowsReadOnceGrown("link", async (world) => await world.addLinks(5_000));

  assert.equal(read.walked, 0);
  // Once for the tenant, once for the foreign key.
  assert.equal(read.found, 2);
});

/** What recording one event reads of the table by a plan that was made before the table grew. */
async function rowsReadOnceGrown(
  table: string,
  grow: (world: Awaited<ReturnType<typeof createWorld>>) => Promise<unknown>,
): Promise<{ walked: number; found: number }> {
  await using world = await createWorld();
  await using intake = world.openIntake();
  // PostgreSQL settles on a plan at the sixth time.
  for (let event = 0; event < 8; event += 1) await recordEvents(intake.pool, [world.event()]);
  await grow(world);
  const before = await intake.rowsRead(table);
  await recordEvents(intake.pool, [world.event()]);
  const after = await intake.rowsRead(table);
  return { walked: after.walked - before.walked, found: after.found - before.found };
}

/** Stands where the database would, and commits when it is told to. */
function createWriter() {
  const batches: (readonly ConnectEvent[])[] = [];
  const open: { resolve: (recorded: Recorded[]) => void; reject: (error: Error) => void; size: number }[] =
    [];
  return {
    batches,
    sizes: () => batches.map((batch) => batch.length),
    write: async (events: readonly ConnectEvent[]) => {
      batches.push(events);
      const { promise, resolve, reject } = Promise.withResolvers<Recorded[]>();
      open.push({ resolve, reject, size: events.length });
      return await promise;
    },
    commit: (): boolean => {
      const next = open.shift();
      next?.resolve(Array.from({ length: next.size }, () => "recorded"));
      return next !== undefined;
    },
    fail: (error: Error): boolean => {
      const next = open.shift();
      next?.reject(error);
      return next !== undefined;
    },
  };
}

/** Everything that waits for nothing but other promises has run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function id<Id extends string>(): Id {
  return parseUuid<Id & EnvelopeId>(randomUUID())!;
}

function anEvent(change: Partial<ConnectEvent> = {}): ConnectEvent {
  return {
    linkId: id<LinkId>(),
    identity: randomUUID(),
    format: "json-sim",
    event: "envelope-completed",
    envelopeId: id<EnvelopeId>(),
    generatedAt: new Date("2031-01-15T03:00:00Z"),
    receivedAt: new Date("2031-01-15T03:00:01Z"),
    body: Buffer.from("{}"),
    forwardings: [],
    import: { at: null },
    ...change,
  };
}

async function createWorld() {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await createTestDatabase());
  const connection = openDatabase(database.connectionString);
  opened.defer(async () => await connection.close());
  const { db, pool } = connection;
  const linkId = await addLink(connection);
  const kept = opened.move();
  return {
    db,
    pool,
    inTransaction: async (work: (recording: Recording) => Promise<void>) => {
      const client = await pool.connect();
      await client.query("begin");
      await work(client);
      await client.query("commit");
      client.release();
    },
    openIntake: () => openIntake(database.connectionString),
    fillQueue: async (jobs: number) =>
      await sql`select count(graphile_worker.add_job('import-envelope', job_key := n::text))
        from generate_series(1, ${jobs}) n`.execute(db),
    addLinks: async (links: number) => {
      await sql`insert into cabinet_group (tenant, id, name, created_at)
        select 'many-' || n, 'g', 'g', now() from generate_series(1, ${links}) n`.execute(db);
      await sql`insert into link (
          id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, approval,
          connect_sent, connect_received
        ) select gen_random_uuid(), 'many-' || n, 'g', 'active', gen_random_uuid(), '甲', 'http://localhost',
          gen_random_uuid(), '山田', now(), 'not-needed', 'active', 'active' from generate_series(1, ${links}) n`.execute(
        db,
      );
    },
    write: async (events: readonly ConnectEvent[]) => await recordEvents(pool, events),
    addLink: async (state: "active" | "ended" = "active") => await addLink(connection, state),
    event: (change: Partial<ConnectEvent> = {}) => anEvent({ linkId, ...change }),
    received: (body: string): ConnectEvent => {
      const message = parseConnectMessage(Buffer.from(body), "application/json");
      assert.ok(message);
      return anEvent({ linkId, ...message, body: Buffer.from(body) });
    },
    count: async () => {
      const { rows } = await sql<{ events: number; jobs: number }>`
        select (select count(*)::int from connect_event) as events,
          (select count(*)::int from graphile_worker.jobs) as jobs`.execute(db);
      return rows[0];
    },
    jobTimes: async () => {
      const { rows } = await sql<{ run_at: Date }>`
        select run_at from graphile_worker.jobs order by run_at`.execute(db);
      return rows.map((row) => row.run_at);
    },
    untilBlocked: async (sessions: number) => {
      for (let blocked = 0; blocked < sessions; ) {
        const { rows } = await sql<{ blocked: number }>`
          select count(*)::int as blocked from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
        blocked = rows[0]?.blocked ?? 0;
      }
    },
    bodyOf: async (envelopeId: string | null) => {
      const row = await db
        .selectFrom("connect_event")
        .select("body")
        .where("envelope_id", "=", envelopeId)
        .executeTakeFirstOrThrow();
      return row.body;
    },
    forwardings: async () =>
      await db.selectFrom("forwarding").selectAll().orderBy("event_id").orderBy("position").execute(),
    listenForJobs: async () => await listenForJobs(connection),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** One connection such as the service records events by. */
function openIntake(connectionString: string) {
  const { db, pool, close } = openDatabase(connectionString, { max: 1, indexesOnly: true });
  return {
    db,
    pool,
    rowsRead: async (table: string): Promise<{ walked: number; found: number }> => {
      await sql`select pg_stat_force_next_flush()`.execute(db);
      const { rows } = await sql<{ walked: number; found: number }>`
        select seq_tup_read::int as walked, idx_tup_fetch::int as found
        from pg_stat_user_tables where relname = ${table}`.execute(db);
      assert.ok(rows[0]);
      return rows[0];
    },
    [Symbol.asyncDispose]: close,
  };
}

async function addLink({ db }: OpenDatabase, state: "active" | "ended" = "active"): Promise<LinkId> {
  const linkId = id<LinkId>();
  await sql`insert into cabinet_group (tenant, id, name, created_at) values (${linkId}, 'g', 'g', now())`.execute(
    db,
  );
  await sql`
    insert into link (
      id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, ended_at,
      approval, connect_sent, connect_received
    ) values (
      ${linkId}, ${linkId}, 'g', ${state}, gen_random_uuid(), '甲', 'http://localhost', gen_random_uuid(), '山田',
      now(), ${state === "ended" ? new Date() : null}, 'not-needed', 'active', 'active'
    )`.execute(db);
  return linkId;
}

/** What workers hear when jobs come in. */
async function listenForJobs({ pool }: OpenDatabase) {
  const client = await pool.connect();
  let heard = 0;
  client.on("notification", () => {
    heard += 1;
  });
  await client.query(`listen "jobs:insert"`);
  return {
    // Notifications come before the answer to a later query.
    heard: async () => {
      await client.query("select 1");
      return heard;
    },
    [Symbol.asyncDispose]: async () => client.release(true),
  };
}
