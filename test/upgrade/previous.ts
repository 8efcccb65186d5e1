import { readdir, readFile } from "node:fs/promises";
import { runMigrations } from "graphile-worker";
import { up as makeQueueFunctions } from "../../migrations/0004-quiet-queue.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrateTo } from "../../src/store/migrate.ts";
import { createEmptyDatabase, type TestDatabase } from "../support/postgres.ts";

/** A database before the last migration, with rows in every table. */
export async function createDatabaseBefore(): Promise<TestDatabase> {
  const database = await createFilledDatabase({ without: 1 });
  // Today's receiver, which stands in for the version before, queues jobs with these functions.
  const { db, close } = openDatabase(database.connectionString);
  await makeQueueFunctions(db);
  await close();
  return database;
}

/** A database without the given number of last migrations. Each migration was applied to the rows of earlier fixtures. */
export async function createFilledDatabase({ without }: { without: number }): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  const { db, pool, close } = openDatabase(database.connectionString);
  await runMigrations({ pgPool: pool });
  const files = (await readdir(new URL("../../migrations/", import.meta.url))).sort();
  for (const file of files.slice(0, files.length - without)) {
    await migrateTo(db, file.replace(/\.ts$/, ""));
    const rows = new URL(`../fixtures/migrations/${file.slice(0, 4)}.sql`, import.meta.url);
    await pool.query(await readFile(rows, "utf8"));
  }
  await close();
  return database;
}
