import type { Kysely } from "kysely";
import type { DB } from "../schema.ts";
import type { Contract } from "./contracts.ts";

export type ChangeType = "imported" | "deleted";

/** Records a change in the caller's transaction; the caller notifies after the commit. Publication gives it its position. */
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
        contract: JSON.stringify(toSnapshot(contract)),
        recorded_at: at,
      })),
    )
    .onConflict((conflict) => conflict.columns(["contract_id", "type"]).doNothing())
    .execute();
}

/** The contract as an entry of the feed has it. Version 0.1 rejects entries whose `source` has other fields than its own. */
export function toSnapshot({ source, ...contract }: Contract): object {
  const { position, sender, recipients, ...known } = source;
  return { ...contract, source: known, position, sender, recipients };
}
