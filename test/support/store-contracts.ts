import { type Kysely, sql } from "kysely";
import { type NewContract, toRow } from "../../src/store/contracts/contracts.ts";
import { blockOf } from "../../src/store/contracts/search-blocks.ts";
import type { DB } from "../../src/store/schema.ts";

/** Stores contracts that no import brought. Existing ones of the same envelope and document stay unchanged. */
export async function storeContracts(
  db: Kysely<DB>,
  contracts: readonly NewContract[],
): Promise<NewContract[]> {
  const added = new Set<string>();
  for (const contract of contracts) {
    const { tenant, importedAt } = contract;
    const { rows } = await sql<{ block: string }>`select ${blockOf(tenant, importedAt)} as block`.execute(db);
    const stored = await db
      .insertInto("contract")
      .values(toRow(contract, rows[0]?.block ?? ""))
      .onConflict((conflict) => conflict.columns(["tenant", "envelope_id", "document_id"]).doNothing())
      .returning("id")
      .execute();
    for (const { id } of stored) added.add(id);
  }
  return contracts.filter(({ id }) => added.has(id));
}
