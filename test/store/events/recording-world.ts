import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { parseConnectMessage } from "../../../src/docusign/connect/connect-message.ts";
import { type AccountId, type EnvelopeId, type LinkId, parseUuid } from "../../../src/domain/identifiers.ts";
import { type OpenDatabase, openDatabase } from "../../../src/store/database.ts";
import { type ConnectEvent, type Recording, recordEvents } from "../../../src/store/events/record-events.ts";
import { importJobKey } from "../../../src/store/queue/queue.ts";
import { createTestDatabase, SLOT_HOURS } from "../../support/postgres.ts";

export function id<Id extends string>(): Id {
  return parseUuid<Id & EnvelopeId>(randomUUID())!;
}

export function anEvent(change: Partial<ConnectEvent> = {}): ConnectEvent {
  return {
    linkId: id<LinkId>(),
    identity: randomUUID(),
    format: "json-sim",
    event: "envelope-completed",
    envelopeId: id<EnvelopeId>(),
    accountId: null,
    configurationId: null,
    generatedAt: new Date("2031-01-15T03:00:00Z"),
    receivedAt: new Date("2031-01-15T03:00:01Z"),
    body: Buffer.from("{}"),
    forwardings: [],
    import: { at: null },
    ...change,
  };
}

export async function createWorld() {
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
    write: async (events: readonly ConnectEvent[], recording: Recording = pool) =>
      await recordEvents(recording, events, SLOT_HOURS),
    addLink: async (state: "active" | "ended" = "active") => await addLink(connection, state),
    event: (change: Partial<ConnectEvent> = {}) => anEvent({ linkId, ...change }),
    received: (body: string): ConnectEvent => {
      const message = parseConnectMessage(Buffer.from(body));
      assert.ok(message);
      return anEvent({ linkId, ...message, body: Buffer.from(body) });
    },
    count: async () => {
      const { rows } = await sql<{ events: number; jobs: number }>`
        select (select count(*)::int from connect_event) as events,
          (select count(*)::int from graphile_worker.jobs) as jobs`.execute(db);
      return rows[0];
    },
    queueImport: async (linkId: LinkId, envelopeId: EnvelopeId) =>
      await sql`select graphile_worker.add_job('import-envelope', job_key := ${importJobKey(linkId, envelopeId)})`.execute(
        db,
      ),
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
        .leftJoin("event_body", (join) =>
          join.onRef("slot", "=", "body_slot").onRef("event_id", "=", "connect_event.id"),
        )
        .select("event_body.body")
        .where("envelope_id", "=", envelopeId)
        .executeTakeFirstOrThrow();
      return row.body;
    },
    forwardings: async () =>
      await db.selectFrom("forwarding").selectAll().orderBy("event_id").orderBy("position").execute(),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** A connection like those with which the service records events. */
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

/** The account and the configurations of every link. */
export const ACCOUNT = id<AccountId>();
export const CONFIGURATIONS = ["11", "12"] as const;

async function addLink({ db }: OpenDatabase, state: "active" | "ended" = "active"): Promise<LinkId> {
  const linkId = id<LinkId>();
  await sql`insert into cabinet_group (tenant, id, name, created_at) values (${linkId}, 'g', 'g', now())`.execute(
    db,
  );
  await sql`
    insert into link (
      id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, ended_at,
      approval, connect_sent, connect_received, connect_sent_id, connect_received_id
    ) values (
      ${linkId}, ${linkId}, 'g', ${state}, ${ACCOUNT}, '甲', 'http://localhost', gen_random_uuid(), '山田',
      now(), ${state === "ended" ? new Date() : null}, 'not-needed', 'active', 'active', ${CONFIGURATIONS[0]},
      ${CONFIGURATIONS[1]}
    )`.execute(db);
  return linkId;
}
