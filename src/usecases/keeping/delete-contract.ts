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
 * Deletes a contract of the tenant and queues the erasure of its bytes. The ledger keeps the envelope as a tombstone,
 * so that it is never imported again (import-rules 4). Idempotent. Refuses with `not-found` if the tenant has no such
 * contract.
 */
export async function deleteContract(
  deps: Uses<"db" | "notifier" | "now">,
  by: { tenant: string; subject: string },
  id: ContractId,
): Promise<void> {
  const isNew = await deps.db.transaction().execute(async (tx) => {
    const contract = await findContract(tx, by.tenant, id);
    if (contract === null) throw new Refusal("not-found", "Contract not found.");
    // When the last two contracts of an envelope are deleted concurrently, the second deletion must see the first.
    await lockEnvelope(tx, by.tenant, contract.source.envelopeId);
    const now = deps.now();
    if (!(await markContractDeleted(tx, { tenant: by.tenant, id, by: by.subject, at: now }))) return false;
    const { documentKey: _key, deletedAt: _deletedAt, ...deleted } = contract;
    await recordChanges(tx, "deleted", [deleted], now);
    await markEnvelopeDeleted(tx, by.tenant, contract.source.envelopeId, now);
    await enqueueErasure(tx);
    return true;
  });
  if (isNew) deps.notifier.changed(by.tenant);
}

const AT_ONCE = 100;

/** Erases the bytes of all deleted contracts. If the document store fails, the job is retried. */
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
