import { type Kysely, type RawBuilder, sql } from "kysely";
import type { DB } from "./schema.ts";

/** The document store refuses writes; shared by all processes. */
export type Outage = {
  /** The store's own error code. */
  readonly code: string;
  readonly since: Date;
  /** When the store is next probed. */
  readonly probeAt: Date;
  /** When a probe succeeded; null while the store refuses writes. */
  readonly endedAt: Date | null;
};

/** Returns the outage until an import has proved its end; null if there is none. */
export async function findOutage(db: Kysely<DB>): Promise<Outage | null> {
  const row = await db.selectFrom("document_store_outage").selectAll().executeTakeFirst();
  if (row === undefined) return null;
  return { code: row.code, since: row.since, probeAt: row.probe_at, endedAt: row.ended_at };
}

const FIRST_PROBE_MS = 5_000;
const LONGEST_PROBE_MS = 60_000;

/**
 * Records that the store refused a document. Returns the time of the next probe; null if the outage is already known. A
 * store that fails again before an import succeeded has not recovered: the waits between probes stay long.
 */
export async function recordOutage(db: Kysely<DB>, code: string, now: Date): Promise<Date | null> {
  const { rows } = await sql<{ probe_at: Date }>`
    insert into document_store_outage as known (code, since, probe_at)
    values (${code}, ${now}, ${probeAfter(sql`1`, now)})
    on conflict (only_row) do update set
      code = excluded.code, failures = known.failures + 1, ended_at = null,
      probe_at = ${probeAfter(sql`known.failures + 1`, now)}
    where known.ended_at is not null
    returning probe_at`.execute(db);
  return rows[0]?.probe_at ?? null;
}

/** Records a failed probe. Returns the time of the next one; null if the outage has ended meanwhile. */
export async function recordFailedProbe(db: Kysely<DB>, code: string, now: Date): Promise<Date | null> {
  const { rows } = await sql<{ probe_at: Date }>`
    update document_store_outage
    set code = ${code}, failures = failures + 1, probe_at = ${probeAfter(sql`failures + 1`, now)}
    where ended_at is null returning probe_at`.execute(db);
  return rows[0]?.probe_at ?? null;
}

/** Lets imports run again after a successful probe. */
export async function endOutage(db: Kysely<DB>, now: Date): Promise<void> {
  await db
    .updateTable("document_store_outage")
    .set({ ended_at: now })
    .where("ended_at", "is", null)
    .execute();
}

/** Forgets an outage that has ended: an import has stored a document. */
export async function forgetOutage(db: Kysely<DB>): Promise<void> {
  await db.deleteFrom("document_store_outage").where("ended_at", "is not", null).execute();
}

/** 5 s after the first failure, then 10 s, 20 s … up to a minute. */
function probeAfter(failures: RawBuilder<unknown>, now: Date): RawBuilder<Date> {
  return sql`${now}::timestamptz + least(
    ${LONGEST_PROBE_MS}::float8, ${FIRST_PROBE_MS}::float8 * 2 ^ least(${failures} - 1, 10)
  ) * interval '1 millisecond'`;
}
