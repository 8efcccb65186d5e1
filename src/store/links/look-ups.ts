import { type Kysely, sql } from "kysely";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import type { Link } from "./links.ts";

type Spending = {
  readonly tenant: string;
  readonly hour: Date;
  readonly calls: number;
  readonly most: number;
};

/**
 * Counts the calls as made by look-ups of the tenant in this hour. Returns false, and counts nothing, if the hour would
 * then have more than `most`. Concurrent callers of all processes take turns at the row.
 */
export async function spendLookUps(
  db: Kysely<DB>,
  { tenant, hour, calls, most }: Spending,
): Promise<boolean> {
  const { rows } = await sql`
    insert into lookup_budget as spent (tenant, hour, calls) values (${tenant}, ${hour}, ${calls})
    on conflict (tenant, hour) do update set calls = spent.calls + excluded.calls
      where spent.calls + excluded.calls <= ${most}
    returning calls`.execute(db);
  return rows.length > 0;
}

/** Returns when DocuSign last reported to a look-up that the linked user cannot find the envelope; null if never. */
export async function findMiss(db: Kysely<DB>, link: Link, envelopeId: EnvelopeId): Promise<Date | null> {
  const row = await db
    .selectFrom("lookup_miss")
    .select("missed_at")
    .where("link_id", "=", link.id)
    .where("envelope_id", "=", envelopeId)
    .executeTakeFirst();
  return row?.missed_at ?? null;
}

export async function noteMiss(
  db: Kysely<DB>,
  { id, tenant }: Link,
  envelopeId: EnvelopeId,
  now: Date,
): Promise<void> {
  await db
    .insertInto("lookup_miss")
    .values({ link_id: id, envelope_id: envelopeId, tenant, missed_at: now })
    .onConflict((conflict) => conflict.columns(["link_id", "envelope_id"]).doUpdateSet({ missed_at: now }))
    .execute();
}

/** Deletes what no look-up after this time needs. */
export async function forgetLookUps(db: Kysely<DB>, before: Date): Promise<void> {
  await db.deleteFrom("lookup_budget").where("hour", "<", before).execute();
  await db.deleteFrom("lookup_miss").where("missed_at", "<", before).execute();
}
