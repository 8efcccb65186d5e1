import { type Kysely, sql } from "kysely";
import { isLockTimeout } from "../database-errors.ts";
import type { DB } from "../schema.ts";

// A body goes into slot `day mod slots` (record-events.ts). The newest row of a slot decides when it is emptied, never
// the slot's number, so the number of slots may change.

/** Days beyond the retention: that of the rest of a body's day, the day that fills, and one for clocks that differ. */
const SPARE_DAYS = 3;

/**
 * Adds the missing partitions for bodies that are kept for so many days. Those of a longer retention stay. Attaching a
 * table blocks no writes, unlike `create table … partition of`.
 */
export async function prepareEventBodies(db: Kysely<DB>, retentionDays: number): Promise<void> {
  const present = (await listSlots(db)).length;
  for (let slot = present; slot < retentionDays + SPARE_DAYS; slot += 1) {
    const name = nameOf(slot);
    await sql`create table if not exists ${name} (like event_body including indexes)`.execute(db);
    await sql`alter table event_body attach partition ${name} for values in (${sql.lit(slot)})`.execute(db);
  }
}

/**
 * Truncates the slots whose newest body was received before the given time, and returns how many it emptied. Skips slots
 * that another session uses.
 */
export async function emptySlots(db: Kysely<DB>, before: Date): Promise<number> {
  let emptied = 0;
  for (const slot of await listSlots(db)) {
    if ((await isOver(db, slot, before)) && (await emptySlot(db, slot, before))) emptied += 1;
  }
  return emptied;
}

/**
 * Deletes bodies received before the given time, from slots that hold newer ones as well because they were not emptied
 * in time. Slots without newer ones are left to `emptySlots`. Returns the number of deleted bodies, at most `limit`.
 */
export async function deleteLateBodies(db: Kysely<DB>, before: Date, limit: number): Promise<number> {
  let deleted = 0;
  for (const slot of await listSlots(db)) {
    if (await isOver(db, slot, before)) continue;
    const { rows } = await sql`
      delete from ${nameOf(slot)} where ctid = any (array(
        select ctid from ${nameOf(slot)} where received_at < ${before} limit ${limit - deleted} for update skip locked
      )) returning slot`.execute(db);
    deleted += rows.length;
  }
  return deleted;
}

async function listSlots(db: Kysely<DB>): Promise<number[]> {
  const { rows } = await sql<{ slot: number }>`
    select substring(relname from '\\d+$')::int as slot from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'event_body'::regclass order by 1`.execute(db);
  return rows.map(({ slot }) => slot);
}

function nameOf(slot: number) {
  return sql.id("event_bodies", `slot_${slot}`);
}

async function isOver(db: Kysely<DB>, slot: number, before: Date): Promise<boolean> {
  const { rows } = await sql<{ over: boolean | null }>`
    select max(received_at) < ${before} as over from ${nameOf(slot)}`.execute(db);
  return rows[0]?.over === true;
}

/** Looks again under the lock: a body may have come in meanwhile. */
async function emptySlot(db: Kysely<DB>, slot: number, before: Date): Promise<boolean> {
  try {
    return await db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '1s'`.execute(tx);
      await sql`lock table ${nameOf(slot)} in access exclusive mode`.execute(tx);
      if (!(await isOver(tx, slot, before))) return false;
      await sql`truncate ${nameOf(slot)}`.execute(tx);
      return true;
    });
  } catch (error) {
    if (isLockTimeout(error)) return false;
    throw error;
  }
}
