import { type Kysely, sql } from "kysely";
import { isLockTimeout } from "../database-errors.ts";
import type { DB } from "../schema.ts";

// A body goes into slot `part mod slots` (record-events.ts), where `part` counts the periods of `slotHours` since 1970.
// The newest row of a slot decides when it is emptied, never the slot's number, so both numbers may change.

const DAY_HOURS = 24;
const DAY_MS = DAY_HOURS * 60 * 60 * 1000;

/** Days beyond the retention: those of a worker that was down, and one for clocks that differ. */
const SPARE_DAYS = 3;

/** Emptying a slot of three hours delays no event noticeably (docs/benchmarks.md). */
const LENGTHS_HOURS = [3, 6, 12];

/** Each slot costs locks in the erasure of a tenant, and time in the first statement of a session. */
const MOST_SLOTS = 1_000;

/** How many slots one commit adds: it holds four locks for each. */
const ADDED = 100;

/** How many slots one statement examines: planning it takes longer for many. */
const EXAMINED = 24;

/** Returns the hours whose bodies share a slot, if bodies are kept for so many days. */
export function slotHours(retentionDays: number): number {
  return LENGTHS_HOURS.find((hours) => countSlots(retentionDays, hours) <= MOST_SLOTS) ?? DAY_HOURS;
}

function countSlots(retentionDays: number, hours: number): number {
  return ((retentionDays + SPARE_DAYS) * DAY_HOURS) / hours;
}

/**
 * Adds the missing partitions for bodies that are kept for so many days. Those of a longer retention stay. Attaching a
 * table blocks no writes, unlike `create table … partition of`. Few commits, since each makes the sessions that write
 * bodies read the list of partitions again.
 */
export async function prepareEventBodies(db: Kysely<DB>, retentionDays: number): Promise<void> {
  const wanted = countSlots(retentionDays, slotHours(retentionDays));
  for (let slot = (await listSlots(db)).length; slot < wanted; slot += ADDED)
    await addSlots(db, slot, Math.min(slot + ADDED, wanted));
}

async function addSlots(db: Kysely<DB>, from: number, until: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (let slot = from; slot < until; slot += 1) {
      const name = nameOf(slot);
      await sql`create table if not exists ${name} (like event_body including indexes)`.execute(tx);
      await sql`alter table event_body attach partition ${name} for values in (${sql.lit(slot)})`.execute(tx);
    }
  });
}

/**
 * Truncates one slot whose newest body was received before the given time, and returns the number of such slots that
 * are left. Skips slots that another session uses. Returns null if it emptied none.
 */
export async function emptySlot(db: Kysely<DB>, before: Date): Promise<{ left: number } | null> {
  const due = (await examine(db)).filter(({ newest }) => newest < before);
  for (const { slot } of due) {
    if (await truncate(db, slot, before)) return { left: due.length - 1 };
  }
  return null;
}

/**
 * Deletes bodies received more than a day before the given time, from slots that hold newer ones as well because they
 * were not emptied in time. Slots whose newest body is older than the given time are left to `emptySlot`. Returns the
 * number of deleted bodies, at most `limit`.
 */
export async function deleteLateBodies(db: Kysely<DB>, before: Date, limit: number): Promise<number> {
  const late = new Date(before.getTime() - DAY_MS);
  let deleted = 0;
  for (const { slot, oldest, newest } of await examine(db)) {
    if (oldest >= late || newest < before || deleted >= limit) continue;
    const { rows } = await sql`
      delete from ${nameOf(slot)} where ctid = any (array(
        select ctid from ${nameOf(slot)} where received_at < ${late} limit ${limit - deleted} for update skip locked
      )) returning slot`.execute(db);
    deleted += rows.length;
  }
  return deleted;
}

type Examined = { readonly slot: number; readonly oldest: Date; readonly newest: Date };

/** Returns the slots that hold bodies, with the times at which the oldest and the newest one were received. */
async function examine(db: Kysely<DB>): Promise<Examined[]> {
  const slots = await listSlots(db);
  const examined: Examined[] = [];
  while (slots.length > 0) {
    const each = slots.splice(0, EXAMINED).map(
      (slot) => sql`select ${sql.lit(slot)} as slot, (select min(received_at) from ${nameOf(slot)}) as oldest,
        (select max(received_at) from ${nameOf(slot)}) as newest`,
    );
    const { rows } = await sql<Examined>`
      select * from (${sql.join(each, sql` union all `)}) as slots where newest is not null`.execute(db);
    examined.push(...rows);
  }
  return examined;
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

/** Looks again under the lock: a body may have come in, or another process may have emptied the slot. */
async function truncate(db: Kysely<DB>, slot: number, before: Date): Promise<boolean> {
  try {
    return await db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '1s'`.execute(tx);
      await sql`lock table ${nameOf(slot)} in access exclusive mode`.execute(tx);
      const { rows } = await sql<{ over: boolean | null }>`
        select max(received_at) < ${before} as over from ${nameOf(slot)}`.execute(tx);
      if (rows[0]?.over !== true) return false;
      await sql`truncate ${nameOf(slot)}`.execute(tx);
      return true;
    });
  } catch (error) {
    if (isLockTimeout(error)) return false;
    throw error;
  }
}
