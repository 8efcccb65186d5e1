import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { runMigrations } from "graphile-worker";
import { type Kysely, sql } from "kysely";
import { beginBlocks } from "../../../src/store/contracts/search-blocks.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { migrateTo } from "../../../src/store/migrate.ts";
import type { DB } from "../../../src/store/schema.ts";
import { createEmptyDatabase, createTestDatabase } from "../../support/postgres.ts";

const NOW = new Date("2031-01-15T03:10:00.000Z");
const HOUR_MS = 60 * 60 * 1000;

test("a full block is followed by one that begins an hour later, which is then filled in turn", async () => {
  await using database = await createTestDatabase();
  const { db, close } = openDatabase(database.connectionString);
  await addContracts(db, "full", { count: 4_000, from: NOW });
  await addContracts(db, "not-full", { count: 3_999, from: NOW });

  await beginBlocks(db, NOW);
  await addContracts(db, "full", { count: 4_000, from: NOW });
  await beginBlocks(db, NOW);
  const begun = await listBlocks(db);
  const later = new Date(NOW.getTime() + 2 * HOUR_MS);
  await beginBlocks(db, later);
  const notYetFull = await listBlocks(db);
  await addContracts(db, "full", { count: 4_000, from: later });
  await beginBlocks(db, later);

  assert.deepEqual(begun, ["full 2031-01-15T04:10:00.000Z"]);
  assert.deepEqual(notYetFull, begun);
  assert.deepEqual(await listBlocks(db), [...begun, "full 2031-01-15T06:10:00.000Z"]);
  await close();
});

test("the migration divides the contracts that are there", async () => {
  await using database = await createEmptyDatabase();
  const { db, pool, close } = openDatabase(database.connectionString);
  await runMigrations({ pgPool: pool });
  const migrations = (await readdir(new URL("../../../migrations/", import.meta.url))).toSorted();
  for (const file of migrations.filter((one) => one < "0013")) await migrateTo(db, file.replace(".ts", ""));
  await addContracts(db, "large", { count: 8_001, from: NOW });
  await addContracts(db, "small", { count: 3_999, from: NOW });

  await migrateTo(db, "0013-search");

  assert.deepEqual(await listBlocks(db), [
    "large 2031-01-15T03:10:03.999Z",
    "large 2031-01-15T03:10:07.999Z",
  ]);
  await close();
});

/** Contracts of a tenant, one each millisecond. */
async function addContracts(
  db: Kysely<DB>,
  tenant: string,
  { count, from }: { count: number; from: Date },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`
      insert into link (
        id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, ended_at,
        approval, connect_sent, connect_received
      ) select gen_random_uuid(), ${tenant}, 'g', 'ended', gen_random_uuid(), '', '', gen_random_uuid(), '', now(), now(),
        'not-needed', '', ''`.execute(tx);
    await sql`
      insert into contract (
        id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on, completed_at, account_id,
        bytes, sha256, document_key, imported_at
      )
      select gen_random_uuid(), ${tenant}, gen_random_uuid(), '1', gen_random_uuid(), 'g', '', now(), now(),
        gen_random_uuid(), 1, '', '', ${from}::timestamptz + (n - 1) * interval '1 millisecond'
      from generate_series(1, ${count}::int) n`.execute(tx);
  });
}

async function listBlocks(db: Kysely<DB>): Promise<string[]> {
  const rows = await db
    .selectFrom("contract_block")
    .selectAll()
    .orderBy("tenant")
    .orderBy("starts_at")
    .execute();
  return rows.map(({ tenant, starts_at }) => `${tenant} ${starts_at.toISOString()}`);
}
