import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { openDatabase } from "../../src/store/database.ts";
import { until } from "../support/waiting.ts";
import { createWorld } from "../support/world.ts";

test("new connections use the current address in DATABASE_URL_FILE, or the last one while the file is empty", async () => {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "torikomi-address-"));
  opened.defer(async () => await rm(directory, { recursive: true, force: true }));
  const file = join(directory, "url");
  const world = opened.use(await createWorld({ config: { databaseUrlFile: file } }));
  const { db, close } = openDatabase(world.database.connectionString);
  opened.defer(close);
  // The role disappears with the test run's server.
  const role = `rotated_${new URL(world.database.connectionString).pathname.slice(1)}`;
  await sql`create role ${sql.id(role)} superuser login password 'secret'`.execute(db);
  const address = new URL(world.database.connectionString);
  Object.assign(address, { username: role, password: "secret" });
  const usersAfterLoss = async (): Promise<string> => {
    await sql`
      select pg_terminate_backend(pid, 10000) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(db);
    const { rows } = await sql<{ user: string }>`select current_user as user`.execute(
      world.service.foundation.serving.db,
    );
    const listeners = async (): Promise<string[]> => await listUsers("torikomi change news");
    await until(async () => (await listeners()).length > 0, "the session is restored");
    return [...rows.map(({ user }) => user), ...(await listeners())].join();
  };
  const listUsers = async (application: string): Promise<string[]> => {
    const { rows } = await sql<{ user: string }>`
      select usename::text as user from pg_stat_activity
      where datname = current_database() and application_name = ${application}`.execute(db);
    return rows.map(({ user }) => user);
  };
  const before = await usersAfterLoss();

  await writeFile(file, `${address.href}\n`);
  const rotated = await usersAfterLoss();
  await writeFile(file, "");
  const after = await usersAfterLoss();

  assert.ok(!before.includes(role), before);
  assert.deepEqual([rotated, after], [`${role},${role}`, `${role},${role}`]);
});
