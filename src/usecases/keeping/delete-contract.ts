import type { ContractId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { recordChanges } from "../../store/contracts/changes.ts";
import {
  findContract,
  listToErase,
  markContractDeleted,
  markErased,
} from "../../store/contracts/contracts.ts";
import { lockEnvelope } from "../../store/ledger/envelopes.ts";
import { markEnvelopeDeleted } from "../../store/ledger/settlements.ts";
import { enqueueErasure } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";

/**
 * Deletes a contract of the tenant; its bytes are erased soon after, that it was imported is remembered for ever
 * (import-rules 4). Deleting again changes nothing. Refuses `not-found` where it is none of the tenant's.
 */
export async function deleteContract(
  deps: Uses<"db" | "now">,
  by: { tenant: string; subject: string },
  id: ContractId,
): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const contract = await findContract(tx, by.tenant, id);
    if (contract === null) throw new Refusal("not-found", "There is no such contract.");
    // Of two who delete the last contracts of an envelope at once, the second one has to see that none is left.
    await lockEnvelope(tx, by.tenant, contract.source.envelopeId);
    const now = deps.now();
    if (!(await markContractDeleted(tx, { tenant: by.tenant, id, by: by.subject, at: now }))) return;
    const { documentKey: _key, deletedAt: _deletedAt, ...told } = contract;
    await recordChanges(tx, "deleted", [told], now);
    await markEnvelopeDeleted(tx, by.tenant, contract.source.envelopeId, now);
    await enqueueErasure(tx);
  });
}

const AT_ONCE = 100;

/** Erases the bytes of deleted contracts, however many; what the store refuses is tried again by the job's retry. */
export async function eraseDocuments(deps: Uses<"db" | "documents" | "now">): Promise<void> {
  for (;;) {
    const waiting = await listToErase(deps.db, AT_ONCE);
    for (const { id, documentKey } of waiting) {
      await deps.documents.erase(documentKey);
      await markErased(deps.db, id, deps.now());
    }
    if (waiting.length < AT_ONCE) return;
  }
}
