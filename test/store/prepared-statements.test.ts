import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { PLANNED_ONCE } from "../../src/store/statement-names.ts";
import { createTestDatabase } from "../support/postgres.ts";

test("a connection plans a repeated statement once, for all values", async () => {
  await using opened = await open();
  const ask = async (word: string): Promise<unknown> =>
    (await sql`select ${word}::text as word`.execute(opened.db)).rows;

  await ask("甲");
  await ask("乙");

  assert.deepEqual(await ask("丙"), [{ word: "丙" }]);
  assert.deepEqual(await namedStatements(opened.db), ["select $1::text as word"]);
  const { rows } = await sql`
    select generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements`.execute(
    opened.db,
  );
  assert.deepEqual(rows, [{ generic: 2, custom: 0 }]);
});

test("a connection for marked statements plans only these once", async () => {
  await using opened = await open("marked");
  const { db } = opened;

  for (let turn = 0; turn < 3; turn += 1) {
    await sql`select ${turn}::int as other`.execute(db);
    await sql`select ${PLANNED_ONCE} ${turn}::int as number`.execute(db);
  }

  assert.deepEqual(await namedStatements(db), ["select /* planned once */ $1::int as number"]);
});

test("a statement that a migration has outdated is answered, and its connection is replaced", async () => {
  await using opened = await open();
  const { db } = opened;
  await sql`create table note (id int)`.execute(db);
  await sql`insert into note values (1)`.execute(db);
  const read = async (): Promise<unknown> => (await sql`select * from note where id = ${1}`.execute(db)).rows;
  await read();
  await read();
  const session = await sessionId(db);

  await sql`alter table note add column text text default '契約'`.execute(db);

  assert.deepEqual(await read(), [{ id: 1, text: "契約" }]);
  assert.notEqual(await sessionId(db), session);
});

test("texts that differ each time take no names", async () => {
  await using opened = await open();

  for (const number of Array.from({ length: 400 }, (_, index) => index)) {
    for (let turn = 0; turn < 2; turn += 1)
      await sql`select ${1}::int as ${sql.ref(`n${number}`)}`.execute(opened.db);
  }

  assert.equal((await namedStatements(opened.db)).length, 300);
});

async function open(
  prepared: "all" | "marked" = "all",
): Promise<AsyncDisposable & { readonly db: Database }> {
  const database = await createTestDatabase();
  const { db, close } = openDatabase(database.connectionString, { max: 1, prepared });
  return {
    db,
    async [Symbol.asyncDispose]() {
      await close();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function namedStatements(db: Database): Promise<string[]> {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db);
  return rows.map(({ statement }) => statement);
}

async function sessionId(db: Database): Promise<unknown> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid;
}
