import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { publishChanges } from "../../src/store/contracts/publication.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { enqueueReconciliation } from "../../src/store/queue/queue.ts";
import { createTestDatabase } from "../support/postgres.ts";

/** The functions of migrations 0016 and 0017, whose plans a connection keeps. */
const CALLS: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  "changes are published": async (db) => {
    await addChanges(db, 1, { areUnpublished: true });
    return await publishChanges(db);
  },
  "positions are reserved": async (db) => await sql`select reserve_positions(1)`.execute(db),
  "a job is queued": async (db) => {
    const linkId = parseUuid<LinkId>(randomUUID())!;
    await enqueueReconciliation(db, { linkId, hour: new Date(), runAt: null, first: false });
  },
};
const FEW = 2;
const MANY = 2_000;
/** The number of rows that a call may read. */
const BOUND = 50;

for (const [what, call] of Object.entries(CALLS)) {
  test(`${what} with few reads after the tables have grown, by the plans of small tables`, async () => {
    await using database = await createTestDatabase();
    const { db, close } = openDatabase(database.connectionString, { max: 1 });
    await sql`alter table change drop constraint change_contract_id_fkey`.execute(db);
    await addRows(db, FEW);
    await sql`analyze`.execute(db);
    await call(db);

    await addRows(db, MANY);
    await sql`select pg_stat_force_next_flush()`.execute(db);
    const { rows } = await db.transaction().execute(async (tx) => {
      await call(tx);
      return await sql<{ read: number }>`
        select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as read
        from pg_stat_xact_user_tables`.execute(tx);
    });
    await close();

    const [{ read } = { read: MANY }] = rows;
    assert.ok(read < BOUND, `${read} rows are read`);
  });
}

async function addRows(db: Database, count: number): Promise<void> {
  await addChanges(db, count, { areUnpublished: false });
  await sql`
    select from graphile_worker.add_jobs(array(
      select json_populate_record(null::graphile_worker.job_spec,
        json_build_object('identifier', 'housekeeping', 'job_key', gen_random_uuid()))
      from generate_series(1, ${count}::int)
    ))`.execute(db);
}

async function addChanges(
  db: Database,
  count: number,
  { areUnpublished }: { areUnpublished: boolean },
): Promise<void> {
  const sequence = areUnpublished ? sql`null` : sql`nextval('change_sequence')`;
  await sql`
    insert into change (tenant, type, contract_id, contract, recorded_at, sequence)
    select 'acme', 'imported', gen_random_uuid(), '{}', now(), ${sequence} from generate_series(1, ${count}::int)`.execute(
    db,
  );
}
