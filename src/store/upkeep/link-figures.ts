import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

/**
 * Counts the contracts of the envelopes that a link accounts for: existing ones and deleted ones.
 * An earlier link may have imported them.
 */
export async function countFiles(
  db: Kysely<DB>,
  link: { tenant: string; id: LinkId },
): Promise<{ kept: number; deleted: number }> {
  return await db
    .selectFrom("envelope")
    .innerJoin("contract", (join) =>
      join
        .onRef("contract.tenant", "=", "envelope.tenant")
        .onRef("contract.envelope_id", "=", "envelope.envelope_id"),
    )
    .select([
      sql<number>`(count(*) filter (where deleted_at is null))::int`.as("kept"),
      sql<number>`(count(*) filter (where deleted_at is not null))::int`.as("deleted"),
    ])
    .where("envelope.tenant", "=", link.tenant)
    .where("envelope.link_id", "=", link.id)
    .executeTakeFirstOrThrow();
}
