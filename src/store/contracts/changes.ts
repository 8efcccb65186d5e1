import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";
import type { Contract } from "./contracts.ts";

export type ChangeType = "imported" | "deleted";

export type Change = { readonly sequence: number; readonly type: ChangeType; readonly contract: unknown };

/** Records a change in the caller's transaction, who tells the notifier after the commit. Publication gives it its position. */
export async function recordChanges(
  tx: Kysely<DB>,
  type: ChangeType,
  contracts: readonly Contract[],
  at: Date,
): Promise<void> {
  if (contracts.length === 0) return;
  await tx
    .insertInto("change")
    .values(
      contracts.map((contract) => ({
        tenant: contract.tenant,
        type,
        contract_id: contract.id,
        contract: JSON.stringify(contract),
        recorded_at: at,
      })),
    )
    .onConflict((conflict) => conflict.columns(["contract_id", "type"]).doNothing())
    .execute();
}

const PUBLICATION_LOCK = 0x746f_7269;

/**
 * Assigns a sequence to every committed change. Publications run one at a time, see everything that is committed, and are
 * the only source of sequences. So no change appears before one that a reader has already seen.
 */
export async function publishChanges(db: Kysely<DB>): Promise<void> {
  const unpublished = await db
    .selectFrom("change")
    .select("id")
    .where("sequence", "is", null)
    .limit(1)
    .executeTakeFirst();
  if (unpublished === undefined) return;
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${PUBLICATION_LOCK})`.execute(tx);
    await sql`
      update change set sequence = numbered.sequence
      from (
        select id, nextval('change_sequence') as sequence
        from (select id from change where sequence is null order by id for update) as waiting
      ) as numbered
      where change.id = numbered.id`.execute(tx);
  });
}

/** Lists the tenant's published changes after a sequence, in the order of the feed. */
export async function listChanges(
  db: Kysely<DB>,
  tenant: string,
  after: number,
  limit: number,
): Promise<Change[]> {
  const rows = await db
    .selectFrom("change")
    .select(["sequence", "type", "contract"])
    .where("tenant", "=", tenant)
    .where("sequence", ">", String(after))
    .orderBy("sequence")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    sequence: Number(row.sequence),
    type: row.type === "deleted" ? "deleted" : "imported",
    contract: row.contract,
  }));
}
