import assert from "node:assert/strict";
import { test } from "node:test";
import { type RawBuilder, sql } from "kysely";
import { openDatabase } from "../../src/store/database.ts";
import { createTestDatabase } from "../support/postgres.ts";

/** How the rows of one tenant are found in tables without the column `tenant` (docs/scaling.md, "Moving a tenant"). */
const KEYS: Readonly<Record<string, string>> = {
  "public.account_budget": "account_id, of a link",
  "public.connect_event": "link_id",
  "public.event_body": "event_id, of a connect_event",
  "public.link_token": "link_id",
  "graphile_worker._private_jobs": "flags, which name the link",
};

/** Tables whose rows belong to no tenant. A cell needs none of another cell's. */
const GLOBAL: Readonly<Record<string, string>> = {
  "public.document_store_outage": "the state of this installation's document store",
  "public.kysely_migration": "the version of this database",
  "public.kysely_migration_lock": "the version of this database",
  "public.sign_in": "visitors who are not known yet; expires within minutes",
  "graphile_worker._private_job_queues": "unused",
  "graphile_worker._private_known_crontabs": "the schedule",
  "graphile_worker._private_tasks": "names of tasks",
  "graphile_worker.migrations": "the version of the queue",
};

/** Unique keys of other types, over all tenants. */
const COUNTED: Readonly<Record<string, string>> = {
  "audit (id)": "order of arrival; a move numbers the rows again",
  "change (id)": "order of arrival; a move numbers the rows again",
  "change (sequence)": "the feed's position, from the clock; stays",
  "connect_event (id)": "order of arrival; a move numbers the rows again",
  "feed_note (id)": "order of arrival; a move numbers the rows again",
  "feed_note (sequence)": "the feed's position, from the clock; stays",
  "linking (state_hash)": "random",
  "page_session (id_hash)": "random",
  "stored_document (key)": "a random UUID",
};

test("the rows of one tenant are found in every table, except in those that belong to no tenant", async () => {
  await using world = await openWorld();

  const without = await world.names(sql<{ name: string }>`
    select nspname || '.' || relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p') and not relispartition and nspname !~ '^(pg_|information_schema)' and not exists (
      select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant' and not attisdropped
    )`);

  assert.deepEqual(
    without,
    [...Object.keys(KEYS), ...Object.keys(GLOBAL)].sort(),
    "a new table needs a column tenant, or a line above and in docs/scaling.md",
  );
});

test("nothing is counted over all tenants but the order of arrival and the feed's positions", async () => {
  await using world = await openWorld();

  const counted = await world.names(sql<{ name: string }>`
    select relname || ' (' || string_agg(attname, ', ' order by place) || ')' as name
    from pg_index
      cross join lateral unnest(indkey::int[]) with ordinality as part (number, place)
      join pg_attribute on attrelid = indrelid and attnum = number
      join pg_class on pg_class.oid = indrelid
    where indisunique and relnamespace = 'public'::regnamespace
      and 'public.' || relname <> all(${Object.keys(GLOBAL)}::text[])
    group by indexrelid, relname
    having not array_agg(attname::text) && '{tenant, link_id}' and not bool_or(atttypid = 'uuid'::regtype)`);

  assert.deepEqual(counted, Object.keys(COUNTED).sort());
});

async function openWorld() {
  const database = await createTestDatabase();
  const { db, close } = openDatabase(database.connectionString);
  return {
    names: async (query: RawBuilder<{ name: string }>): Promise<string[]> => {
      const { rows } = await query.execute(db);
      return rows.map(({ name }) => name).sort();
    },
    async [Symbol.asyncDispose]() {
      await close();
      await database[Symbol.asyncDispose]();
    },
  };
}
