import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";
import type { World } from "../support/world.ts";

/** A state of a world that can be restored. */
export type Snapshot = { restore(): Promise<void> };

/** Saves database, documents, Connect configurations and clock. */
export async function takeSnapshot(world: World): Promise<Snapshot> {
  const { db } = world.service.foundation.working;
  const tables = await listTables(db);
  await copyTables(db, tables);
  const documents = join(world.config.dataDir, "documents");
  const kept = join(world.config.dataDir, "documents-before");
  await cp(documents, kept, { recursive: true });
  const accounts = [...world.docusign.state.accounts.values()];
  const configurations = accounts.map((account) => ({ account, kept: new Map(account.configurations) }));
  const now = new Date(world.clock.now);
  return {
    restore: async () => {
      await restoreTables(db, tables);
      await rm(documents, { recursive: true });
      await cp(kept, documents, { recursive: true });
      for (const { account, kept: before } of configurations) {
        account.configurations.clear();
        for (const [id, configuration] of before) account.configurations.set(id, configuration);
      }
      world.clock.now = new Date(now);
    },
  };
}

type Table = { readonly name: string; readonly columns: string };

async function listTables(db: Database): Promise<Table[]> {
  const { rows } = await sql<Table>`
    select format('%I.%I', table_schema, table_name) as name,
      string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
    from information_schema.columns join information_schema.tables using (table_catalog, table_schema, table_name)
    where table_schema in ('public', 'graphile_worker') and table_type = 'BASE TABLE' and is_generated = 'NEVER'
      and table_name not like '%migration%'
    group by table_schema, table_name`.execute(db);
  return rows;
}

function copyOf({ name }: Table): string {
  return `before.${name.replace(".", "_")}`;
}

async function copyTables(db: Database, tables: readonly Table[]): Promise<void> {
  await sql`create schema before`.execute(db);
  for (const table of tables)
    await sql.raw(`create table ${copyOf(table)} as select ${table.columns} from ${table.name}`).execute(db);
}

/** In one round trip and without foreign keys, since the tables are in no order. */
async function restoreTables(db: Database, tables: readonly Table[]): Promise<void> {
  const fill = tables.map(
    (table) =>
      `insert into ${table.name} (${table.columns}) overriding system value select ${table.columns} from ${copyOf(table)};`,
  );
  const empty = tables.map(({ name }) => `delete from ${name};`);
  await sql
    .raw(`do $$ begin set local session_replication_role = replica; ${[...empty, ...fill].join(" ")} end $$`)
    .execute(db);
}
