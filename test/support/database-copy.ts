import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";

/** A state of the database that can be restored, with the positions of its sequences. */
export type DatabaseCopy = { restore(): Promise<void> };

/** Copies all rows into a schema of their own. */
export async function copyDatabase(db: Database): Promise<DatabaseCopy> {
  const tables = await listTables(db);
  await copyTables(db, tables);
  const { rows: sequences } = await sql<Sequence>`
    select format('%I.%I', schemaname, sequencename) as name, last_value as value
    from pg_sequences where schemaname = 'public'`.execute(db);
  return {
    restore: async () => {
      await restoreTables(db, tables);
      for (const { name, value } of sequences)
        await sql`select setval(${name}::regclass, ${value ?? "1"}::bigint, ${value !== null})`.execute(db);
    },
  };
}

type Sequence = { readonly name: string; readonly value: string | null };

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
