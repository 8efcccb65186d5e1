import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { runMigrations } from "graphile-worker";
import { Kysely, PostgresDialect, sql } from "kysely";
import { openDatabase } from "../src/store/database.ts";
import { migrateTo } from "../src/store/migrate.ts";
import type { DB } from "../src/store/schema.ts";
import { createEmptyDatabase, createTestDatabase } from "./support/postgres.ts";
import { generateSchemaTypes } from "./support/schema-types.ts";

test("each migration is applied to tables that hold rows", async () => {
  await using empty = await createEmptyDatabase();
  const database = openDatabase(empty.connectionString);

  await runMigrations({ pgPool: database.pool });
  for (const name of await listMigrations()) {
    await migrateTo(database.db, name);
    await database.pool.query(await readRows(name));
  }

  assert.deepEqual(await listEmptyTables(database.db), []);
  await database.close();
});

test("no migration adds a column that old rows and old programs could not fill", async () => {
  await using empty = await createEmptyDatabase();
  const statements: string[] = [];
  const { pool, close } = openDatabase(empty.connectionString);
  const listening = new Kysely<DB>({
    dialect: new PostgresDialect({ pool }),
    log: (event) => {
      statements.push(event.query.sql);
    },
  });

  await runMigrations({ pgPool: pool });
  for (const name of await listMigrations()) {
    statements.length = 0;
    await migrateTo(listening, name);

    assert.notEqual(statements.length, 0);
    assert.deepEqual(listUnfillable(statements), [], name);
  }
  await close();
});

test("a column that must not be null is unfillable without a default, unless its table is new", () => {
  const statements = [
    "alter table link add column a text not null",
    "alter table link add column b text, add c int NOT NULL, add column d int not null default 0",
    'ALTER TABLE "link" ADD COLUMN "e" uuid NOT NULL',
    "alter table link add column f text not null default ''",
    "alter table link add column g int not null generated always as identity",
    "alter table link add column h numeric(10, 2)",
    "alter table link add constraint known check (h is not null)",
    "create table fresh (id int)",
    "alter table fresh add column i text not null",
  ];

  assert.deepEqual(listUnfillable(statements), [statements[0], statements[1], statements[2]]);
});

test("the types of the code are those of the schema", async () => {
  await using database = await createTestDatabase();

  await assert.doesNotReject(generateSchemaTypes(database.connectionString, "--verify"));
});

test("types that differ from the schema are noticed", async () => {
  await using database = await createTestDatabase();
  const { pool, close } = openDatabase(database.connectionString);
  await pool.query("alter table link add column unheard_of text");
  await close();

  await assert.rejects(generateSchemaTypes(database.connectionString, "--verify"));
});

async function listMigrations(): Promise<string[]> {
  const files = (await readdir(new URL("../migrations/", import.meta.url))).sort();
  assert.notEqual(files.length, 0);
  files.forEach((file, index) =>
    assert.match(file, new RegExp(`^${String(index + 1).padStart(4, "0")}-[a-z0-9-]+\\.ts$`)),
  );
  return files.map((file) => file.replace(/\.ts$/, ""));
}

/** Rows for every table that a migration makes, so that the next one meets them. */
async function readRows(migration: string): Promise<string> {
  return await readFile(new URL(`fixtures/migrations/${migration.slice(0, 4)}.sql`, import.meta.url), "utf8");
}

async function listEmptyTables(db: Kysely<DB>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select tablename as name from pg_tables
    where schemaname = 'public' and tablename not like 'kysely\\_%' order by 1`.execute(db);
  assert.notEqual(rows.length, 0);
  const counted = await Promise.all(
    rows.map(async ({ name }) => ({
      name,
      ...(await sql`select from ${sql.table(name)} limit 1`.execute(db)),
    })),
  );
  return counted.filter((table) => table.rows.length === 0).map((table) => table.name);
}

/** Statements that add a column which must hold something to a table that may hold rows, and don't say what. */
function listUnfillable(statements: readonly string[]): string[] {
  const fresh = new Set(
    statements.flatMap(
      (statement) => /^\s*create table (?:if not exists )?"?(\w+)/i.exec(statement)?.[1] ?? [],
    ),
  );
  return statements.filter((statement) => {
    const table = /^\s*alter table (?:if exists )?(?:only )?"?(\w+)/i.exec(statement)?.[1];
    return table !== undefined && !fresh.has(table) && splitActions(statement).some(isUnfillable);
  });
}

function splitActions(statement: string): string[] {
  return statement.split(/\badd\b/i).slice(1);
}

function isUnfillable(action: string): boolean {
  if (/^\s*(constraint|check|unique|primary|foreign)\b/i.test(action)) return false;
  return /\bnot null\b/i.test(action) && !/\b(default|generated)\b/i.test(action);
}
