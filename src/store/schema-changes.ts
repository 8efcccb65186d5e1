import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { isLockTimeout } from "./database-errors.ts";

const PAUSE_MS = 250;

/**
 * Runs statements of a migration in one transaction. While one waits for a table's lock, all later writes of the table
 * wait behind it, so it gives up soon and tries again.
 */
export async function changeWithoutBlocking<Schema>(
  db: Kysely<Schema>,
  statements: readonly string[],
): Promise<void> {
  while (!(await tryAll(db, statements))) await sleep(PAUSE_MS);
}

async function tryAll<Schema>(db: Kysely<Schema>, statements: readonly string[]): Promise<boolean> {
  try {
    await db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '100ms'`.execute(tx);
      for (const statement of statements) await sql.raw(statement).execute(tx);
    });
    return true;
  } catch (error) {
    if (isLockTimeout(error)) return false;
    throw error;
  }
}
