import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

/** Counts the contracts of the tenant that exist, whichever link imported them. */
export async function countContracts(db: Kysely<DB>, tenant: string): Promise<number> {
  const row = await db
    .selectFrom("contract")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("tenant", "=", tenant)
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/**
 * Counts the contracts that were imported from each of these times until the next one, and from the last one until now.
 * `starts` are in ascending order. Deleted contracts do not count.
 */
export async function countImportedSince(
  db: Kysely<DB>,
  tenant: string,
  starts: readonly Date[],
): Promise<number[]> {
  const [first] = starts;
  if (first === undefined) return [];
  const { rows } = await sql<{ period: number; count: string }>`
    select width_bucket(imported_at, ${starts}::timestamptz[]) as period, count(*) from contract
    where tenant = ${tenant} and deleted_at is null and imported_at >= ${first}
    group by period`.execute(db);
  return starts.map((_start, index) => Number(rows.find(({ period }) => period === index + 1)?.count ?? 0));
}

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
