import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { CompiledQuery, Kysely, PostgresDialect, sql } from "kysely";
import type pg from "pg";
import type { ContractId, EnvelopeId, LinkId } from "../../src/domain/identifiers.ts";
import { parseUuid } from "../../src/domain/identifiers.ts";
import { commitImports } from "../../src/store/contracts/commit-import.ts";
import {
  contractsOfEnvelope,
  findContract,
  markContractDeleted,
  type NewContract,
} from "../../src/store/contracts/contracts.ts";
import { FEED_TYPES, readFeed, readNewest } from "../../src/store/contracts/feed.ts";
import { listContracts } from "../../src/store/contracts/list-contracts.ts";
import { publishChanges } from "../../src/store/contracts/publication.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { announcedEnvelopes, eventsOfEnvelope } from "../../src/store/events/events.ts";
import { findForwardingsOf, listForwardings, listForwardingsOf } from "../../src/store/events/forwardings.ts";
import { type Recording, recordEvents } from "../../src/store/events/record-events.ts";
import { findImportFacts } from "../../src/store/import-facts.ts";
import { claimEnvelope, claimForLane, releaseClaims } from "../../src/store/ledger/claims.ts";
import {
  countDue,
  countExcludedByRule,
  countParked,
  countTotals,
  countWaiting,
} from "../../src/store/ledger/counts.ts";
import { findEnvelope, findEnvelopes, findEnvelopesOfTenants } from "../../src/store/ledger/envelopes.ts";
import { listStale, replaceStale } from "../../src/store/ledger/listings.ts";
import { recordQuietHours } from "../../src/store/ledger/quiet-hours.ts";
import {
  countListedFirst,
  findLatest,
  findRunning,
  listReconciliations,
} from "../../src/store/ledger/reconciliations.ts";
import { settleEnvelope } from "../../src/store/ledger/settlements.ts";
import { nextDueAt } from "../../src/store/ledger/waiting-envelopes.ts";
import { findImportStanding } from "../../src/store/links/import-standing.ts";
import type { Link } from "../../src/store/links/links.ts";
import { findStandings } from "../../src/store/links/standings.ts";
import type { DB } from "../../src/store/schema.ts";
import { eraseNames } from "../../src/store/upkeep/housekeeping.ts";
import { createTestDatabase, SLOT_HOURS } from "../support/postgres.ts";

/** These tables grow as long as the service runs; links and groups grow only with the number of customers. */
const GROWING = [
  "audit",
  "change",
  "connect_event",
  "contract",
  "envelope",
  "event_body",
  "feed_note",
  "forwarding",
  "reconciliation",
  "stored_document",
];
const LINKS = 100;
/** One customer is large among many small ones, and its queries are tested. */
const LARGE = "t1";
const EACH = `case tenant when '${LARGE}' then 5000 else 150 end`;
/** The number of rows that a query may read in vain; more would be a scan of the customer's data. */
const IN_VAIN = 500;
const NOW = new Date("2031-01-15T03:10:00Z");

type Queries = Readonly<Record<string, (db: Database, some: Some) => Promise<unknown>>>;

/** The queries of every import and hour. Workers plan them once for all values. */
const JOBS: Queries = {
  "an import begins": async (db, { linkId, tenant, envelopeId }) => {
    const claim = { envelopeId, linkId, foundBy: "event", now: NOW, leaseUntil: NOW } as const;
    await findImportStanding(db, linkId);
    await claimEnvelope(db, claim);
    await listForwardings(db, tenant, envelopeId);
    await findImportFacts(db, tenant, envelopeId);
  },
  "an import ends": async (db, { linkId, tenant, envelopeId, contract }) => {
    const { groupId } = contract;
    const decision = { envelopeId, reason: "sent", completedAt: NOW, facts: {}, block: "" };
    const document = { documentId: "new", key: "new", bytes: 1, sha256: "" };
    const envelopes = [{ ...decision, contracts: [contract], unrecorded: [document] }];
    await commitImports(db, { tenant, linkId, groupId, now: NOW, envelopes });
    const excluded = { state: "excluded", reason: "not-ours", completedAt: NOW, facts: {} } as const;
    await settleEnvelope(db, { tenant, envelopeId, linkId, now: NOW, ...excluded });
  },
  "a lane of the backlog takes the next envelopes": async (db, { linkId, tenant, envelopeId }) => {
    const order = { newerThan: NOW, onlyNewer: false, most: 10, previous: [] };
    await claimForLane(db, { linkId, now: NOW, leaseUntil: NOW, ...order });
    await releaseClaims(db, tenant, [envelopeId], NOW);
    await listStale(db, { linkId, sent: true, before: NOW }, { now: NOW, limit: 40 });
    await replaceStale(db, { linkId, sent: true, before: NOW }, new Map([[envelopeId, null]]));
    await nextDueAt(db, linkId);
    await countDue(db, linkId, NOW);
  },
  "a listing page is compared with the ledger": async (db, { linkId, tenant, envelopeIds }) => {
    await findRunning(db, linkId);
    await findEnvelopes(db, tenant, envelopeIds);
    await announcedEnvelopes(db, linkId, envelopeIds);
    await listForwardingsOf(db, tenant, envelopeIds);
  },
  "the hours of many links are reconciled": async (db, { linkId, tenant, envelopeIds }) => {
    const envelopes = envelopeIds.map((envelopeId) => ({ tenant, envelopeId }));
    const [standing] = await findStandings(db, [linkId]);
    await findEnvelopesOfTenants(db, envelopes);
    await findForwardingsOf(db, envelopes);
    await recordQuietHours(db, [quietHourOf(standing?.link ?? assert.fail())], NOW);
  },
  "a link's totals are counted": async (db, { linkId }) => {
    await countTotals(db, linkId);
    await countWaiting(db, linkId);
    await countParked(db, linkId);
  },
  "a link is described": async (db, { linkId, tenant }) => {
    await countExcludedByRule(db, linkId);
    await countListedFirst(db, { tenant, id: linkId });
    await findLatest(db, linkId);
    await listReconciliations(db, tenant, { limit: 50, after: { startedAt: NOW, id: randomUUID() } });
  },
};

/** The queries of every event, import, hour, page and reader. */
const QUERIES: Queries = {
  ...JOBS,
  "events are recorded with their imports": async (db, { linkId }) =>
    await recordEvents(asPool(db), [anEvent(linkId), anEvent(linkId)], SLOT_HOURS),
  "a page of contracts is read": async (db, { tenant, envelopeId }) => {
    const after = { importedAt: NOW, id: randomUUID() };
    await listContracts(db, tenant, { limit: 101, after: null });
    await listContracts(db, tenant, { limit: 101, after });
    await listContracts(db, tenant, { limit: 101, after, group: "group-1" });
    await listContracts(db, tenant, { limit: 101, after, accountId: randomUUID() });
    await listContracts(db, tenant, { limit: 101, after: null, envelopeId, q: "契約" });
    await listContracts(db, tenant, { limit: 101, after: null, q: "契約" });
    await listContracts(db, "t2", { limit: 101, after: null, q: "契約" });
    await listContracts(db, tenant, {
      limit: 101,
      after,
      concludedFrom: "2031-01-01",
      concludedTo: "2031-01-02",
    });
  },
  "the feed is read": async (db, { tenant }) => {
    await publishChanges(db);
    for (const reader of [tenant, null]) {
      await readNewest(db, reader);
      for (const types of [["imported", "deleted"], ["imported"], ["deleted"], ["link"], FEED_TYPES] as const)
        await readFeed(db, { tenant: reader, after: 20, limit: 100, types: new Set(types) });
    }
  },
  "names leave the feed": async (db) => {
    await eraseNames(db, { before: NOW, now: NOW, limit: 500 });
  },
  "an envelope is explained": async (db, { tenant, envelopeId }) => {
    await findEnvelope(db, tenant, envelopeId);
    await eventsOfEnvelope(db, tenant, envelopeId);
    await contractsOfEnvelope(db, tenant, envelopeId);
  },
  "a contract is read, then deleted": async (db, { tenant, contract: { id } }) => {
    await findContract(db, tenant, id);
    await markContractDeleted(db, { tenant, id, by: "somebody", at: NOW });
  },
};

test("no regular query scans a growing table", async (t) => {
  await using world = await createWorld();

  for (const [what, ask] of Object.entries(QUERIES)) {
    await t.test(what, async () => {
      const queries = await world.watch(ask);

      const plans = await Promise.all(queries.map(async (query) => await world.explain(query)));

      const walking = queries.filter((_, index) => walks(plans[index]));
      assert.deepEqual(
        walking.map((query) => query.sql),
        [],
      );
      assert.ok(plans.length > 0);
    });
  }
});

test("no plan of a job's query for all values scans a growing table", async (t) => {
  await using world = await createWorld();

  for (const [what, ask] of Object.entries(JOBS)) {
    await t.test(what, async () => {
      const queries = await world.watch(ask);

      const plans = await Promise.all(queries.map(async (query) => await world.explainForAll(query)));

      const walking = queries.filter((_, index) => walks(plans[index]));
      assert.deepEqual(
        walking.map((query) => query.sql),
        [],
      );
    });
  }
});

test("no query that is planned while its tables are new reads all rows of a tenant later", async (t) => {
  await using world = await createWorld();
  await using database = await createTestDatabase();
  const { pool, close } = openDatabase(database.connectionString);
  await using _pool = { [Symbol.asyncDispose]: close };
  const planned: Queries = {
    ...JOBS,
    "a contract is read": async (db, { tenant, contract }) => await findContract(db, tenant, contract.id),
  };

  for (const [what, ask] of Object.entries(planned)) {
    await t.test(what, async () => {
      const queries = await world.watch(ask);

      const plans = await Promise.all(queries.map(async ({ sql: text }) => await explainForAll(pool, text)));

      assert.deepEqual(
        queries.filter((_, index) => readsTenant(plans[index])).map((query) => query.sql),
        [],
      );
    });
  }
});

test("a scan is detected, of the table or along an index", async () => {
  await using world = await createWorld();

  const queries = await world.watch(async (db, { tenant }) => {
    await db.selectFrom("envelope").selectAll().where("last_error", "=", "x").execute();
    await listContracts(db, tenant, { limit: 101, after: null, concludedFrom: "2000-01-01" });
    await db
      .selectFrom("contract")
      .select("id")
      .where("tenant", "=", tenant)
      .where("deleted_at", "is", null)
      .where("pages", "=", 77)
      .orderBy("imported_at", "desc")
      .orderBy("id", "desc")
      .limit(1)
      .execute();
  });

  const plans = await Promise.all(queries.map(async (query) => await world.explain(query)));
  // The list of contracts first asks how many are within the dates.
  assert.deepEqual(plans.map(walks), [true, false, false, true]);
});

/** True if the only condition of an index is the tenant, and a join or filter decides on each of its rows. */
function readsTenant(plan: Plan | undefined): boolean {
  if (plan === undefined) return false;
  const isRead = /^\(tenant = [^()]*\)$/.test(plan["Index Cond"] ?? "") && plan["Node Type"].endsWith("Scan");
  const children = plan.Plans ?? [];
  return (isRead && GROWING.includes(plan["Relation Name"] ?? "")) || children.some(readsTenant);
}

type Query = { readonly sql: string; readonly parameters: readonly unknown[] };
type Plan = {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
};

function walks(plan: Plan | undefined): boolean {
  if (plan === undefined) return false;
  const { "Node Type": type, "Rows Removed by Filter": inVain = 0 } = plan;
  const isWalk = type.endsWith("Seq Scan") || inVain > IN_VAIN;
  return (isWalk && GROWING.includes(plan["Relation Name"] ?? "")) || (plan.Plans ?? []).some(walks);
}

/** Runs named statements like all others, so that they are watched too. */
function asPool(db: Database): Recording {
  return {
    query: async <Row>({ text, values = [] }: pg.QueryConfig) => {
      const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, values));
      return { rows };
    },
  };
}

type Some = Awaited<ReturnType<typeof findSome>>;

async function createWorld() {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await createTestDatabase());
  const { pool, close } = openDatabase(database.connectionString);
  opened.defer(close);
  const watched: Query[] = [];
  const dialect = new PostgresDialect({ pool });
  const db = new Kysely<DB>({ dialect, log: ({ query }) => void watched.push(query) });
  await fill(db);
  const some = await findSome(db);
  const kept = opened.move();
  return {
    watch: async (ask: (db: Database, some: Some) => Promise<unknown>): Promise<Query[]> => {
      watched.length = 0;
      await ask(db, some);
      return watched.filter((query) => /^\s*(select|insert|update|delete|with)/i.test(query.sql));
    },
    // Runs the query again to see its plan, then rolls it back.
    explain: async (query: Query): Promise<Plan> => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        const explained = `explain (analyze, timing off, format json) ${query.sql}`;
        const { rows } = await client.query(explained, [...query.parameters]);
        return rows[0]["QUERY PLAN"][0].Plan;
      } finally {
        await client.query("rollback");
        client.release();
      }
    },
    explainForAll: async (query: Query): Promise<Plan> => await explainForAll(pool, query.sql),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** Returns the plan that serves all values. */
async function explainForAll(pool: pg.Pool, text: string): Promise<Plan> {
  const { rows } = await pool.query(`explain (generic_plan, format json) ${text}`);
  return rows[0]["QUERY PLAN"][0].Plan;
}

async function findSome(db: Database) {
  const rows = await db.selectFrom("envelope").selectAll().where("tenant", "=", LARGE).limit(200).execute();
  const row = rows.find(({ state }) => state === "imported");
  assert.ok(row);
  const linkId = parseUuid<LinkId>(row.link_id)!;
  const envelopeId = parseUuid<EnvelopeId>(row.envelope_id)!;
  const { tenant } = row;
  return {
    linkId,
    tenant,
    envelopeId,
    envelopeIds: rows.map(({ envelope_id }) => parseUuid<EnvelopeId>(envelope_id)!),
    contract: aContract({ linkId, tenant, envelopeId }),
  };
}

/** A small version of a year of the service: enough rows for indexes to pay, and statistics as after autovacuum. */
async function fill(db: Database): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    for (const statement of ROWS) await sql.raw(statement).execute(tx);
  });
  await sql.raw(`vacuum (analyze) link, ${GROWING.map((name) => `"${name}"`).join(", ")}`).execute(db);
}

const MOMENT = `timestamptz '2031-01-15' - n * interval '1 hour'`;

const ROWS = [
  `insert into cabinet_group (tenant, id, name, created_at)
   select 't' || l, 'group-' || g, 'g', now() from generate_series(1, ${LINKS}) l, generate_series(1, 3) g`,
  `insert into link (
     id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, approval,
     connect_sent, connect_received
   )
   select gen_random_uuid(), 't' || l, 'group-1', 'active', gen_random_uuid(), '甲', 'https://example.com',
     gen_random_uuid(), '山田', now(), 'not-needed', 'active', 'active' from generate_series(1, ${LINKS}) l`,
  `insert into envelope (tenant, envelope_id, link_id, state, reason, completed_at, found_by, found_at, waiting_until)
   select tenant, gen_random_uuid(), id,
     case when n % 10 = 0 then 'excluded' when n % 50 = 1 then 'waiting' else 'imported' end,
     case when n % 10 = 0 then 'not-ours' when n % 50 = 1 then 'queued' else 'sent' end,
     ${MOMENT}, 'event', ${MOMENT}, case when n % 50 = 1 then ${MOMENT} end
   from link, generate_series(1, ${EACH}) n`,
  `insert into connect_event (link_id, identity, format, event, envelope_id, received_at, body)
   select link_id, gen_random_uuid(), 'json-sim', 'envelope-completed', envelope_id, found_at, '{}' from envelope`,
  `insert into forwarding (tenant, envelope_id, event_id, position)
   select tenant, connect_event.envelope_id, connect_event.id, 0
   from connect_event join link on link.id = link_id where connect_event.id % 3 = 0`,
  `insert into stored_document (tenant, envelope_id, document_id, key, bytes, sha256, stored_at)
   select tenant, envelope_id, '1', gen_random_uuid(), 1, '', found_at from envelope where state = 'imported'`,
  `insert into contract (
     id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on, completed_at, account_id,
     bytes, sha256, document_key, imported_at
   )
   select gen_random_uuid(), tenant, envelope_id, '1', link_id, 'group-' || 1 + extract(hour from found_at)::int % 3,
     'a.pdf', found_at::date, found_at, gen_random_uuid(), 1, '', gen_random_uuid(), found_at
   from envelope where state = 'imported'`,
  `insert into change (tenant, type, contract_id, contract, recorded_at, sequence)
   select tenant, 'imported', id, '{}', imported_at, case when row_number() over () > 5 then nextval('change_sequence') end
   from contract`,
  `insert into change (tenant, type, contract_id, contract, recorded_at, sequence)
   select tenant, 'deleted', contract_id, '{}', recorded_at, nextval('change_sequence') from change where id % 100 = 0`,
  `insert into feed_note (tenant, type, note, sequence)
   select tenant, case when n % 10 = 0 then 'restored' else 'link' end, jsonb_build_object('since', n),
     case when n > 5 then nextval('change_sequence') end
   from link, generate_series(1, ${EACH}) n`,
  `insert into reconciliation (
     id, link_id, tenant, kind, state, window_from, window_to, side, cursor_from, started_at, ended_at
   )
   select gen_random_uuid(), id, tenant, case when n = ${EACH} then 'first' else 'hourly' end,
     case when n = 1 then 'running' else 'done' end, ${MOMENT}, ${MOMENT}, 'sent', ${MOMENT}, ${MOMENT}, ${MOMENT}
   from link, generate_series(1, ${EACH}) n`,
  `insert into audit (tenant, link_id, at, subject, action)
   select tenant, id, ${MOMENT}, 'owner', 'edited' from link, generate_series(1, ${EACH}) n`,
];

function anEvent(linkId: LinkId) {
  const place = { recipientId: "1", userId: null, email: null };
  return {
    linkId,
    accountId: null,
    configurationId: null,
    identity: randomUUID(),
    format: "json-sim",
    event: "envelope-completed",
    envelopeId: parseUuid<EnvelopeId>(randomUUID()),
    generatedAt: NOW,
    receivedAt: NOW,
    body: Buffer.from("{}"),
    forwardings: [{ from: place, to: { ...place, recipientId: "2" } }],
    import: { at: null },
  } as const;
}

function aContract(of: { linkId: LinkId; tenant: string; envelopeId: EnvelopeId }): NewContract {
  return {
    id: parseUuid<ContractId>(randomUUID())!,
    tenant: of.tenant,
    groupId: "group-1",
    linkId: of.linkId,
    fileName: "a.pdf",
    concludedOn: "2031-01-15",
    importedAt: NOW,
    certificate: null,
    pages: 1,
    bytes: 1,
    sha256: "",
    documentKey: randomUUID(),
    source: {
      envelopeId: of.envelopeId,
      documentId: "2",
      accountId: parseUuid(randomUUID())!,
      completedAt: NOW,
      subject: null,
      position: 1,
      sender: null,
      recipients: null,
    },
  };
}

function quietHourOf(link: Link): Parameters<typeof recordQuietHours>[1][number] {
  return {
    link,
    run: { id: randomUUID(), from: NOW, to: NOW, startedAt: NOW, calls: 2, colleagueSeen: true },
    counts: { listed: 0, docusignCount: 0, rowsSeen: 0 },
    reached: { sentReached: NOW, receivedReached: NOW, colleagueSentAt: null },
    confirmed: null,
  };
}
