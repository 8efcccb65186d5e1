import { type Kysely, sql } from "kysely";
import type { LinkId } from "../domain/identifiers.ts";
import type { DB } from "./schema.ts";

/** How many contracts came of a link's envelopes: those that are there, and those deleted since. */
export async function countFiles(
  db: Kysely<DB>,
  link: { tenant: string; id: LinkId },
): Promise<{ kept: number; deleted: number }> {
  return await db
    .selectFrom("contract")
    .select([
      sql<number>`(count(*) filter (where deleted_at is null))::int`.as("kept"),
      sql<number>`(count(*) filter (where deleted_at is not null))::int`.as("deleted"),
    ])
    .where("tenant", "=", link.tenant)
    .where("link_id", "=", link.id)
    .executeTakeFirstOrThrow();
}

/** How many of a link's envelopes wait, by the code of their own cause. */
export async function countWaitingByReason(db: Kysely<DB>, linkId: LinkId): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom("envelope")
    .select(["reason", sql<number>`count(*)::int`.as("count")])
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .groupBy("reason")
    .orderBy("reason")
    .execute();
  return Object.fromEntries(rows.map((row) => [row.reason, row.count]));
}
