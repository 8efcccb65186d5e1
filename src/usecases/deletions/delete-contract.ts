import type { ContractId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { recordChanges } from "../../store/contracts/changes.ts";
import { findContract, markContractDeleted } from "../../store/contracts/contracts.ts";
import type { Database } from "../../store/database.ts";
import { lockEnvelope } from "../../store/ledger/envelopes.ts";
import { markEnvelopeDeleted } from "../../store/ledger/settlements.ts";
import { enqueueErasure } from "../../store/queue/queue.ts";
import { noteTombstone } from "../../store/upkeep/tombstones.ts";
import type { Uses } from "../capabilities.ts";
import { leaveTombstone } from "../leave-tombstone.ts";

/**
 * Deletes a contract of the tenant and queues the erasure of its bytes. The ledger keeps the envelope, so that it is never
 * imported again (import-rules 4), and the document store a tombstone, in case the database is set back. Idempotent.
 * Refuses with `not-found` if the tenant has no such contract, and with `unavailable` if the document store takes no
 * tombstone.
 */
export async function deleteContract(
  deps: Uses<"db" | "documents" | "notifier" | "now">,
  by: { tenant: string; subject: string },
  id: ContractId,
): Promise<void> {
  const contract = await findContract(deps.db, by.tenant, id);
  if (contract === null) throw new Refusal("not-found", "Contract not found.");
  if (contract.deletedAt !== null) return;
  const { envelopeId, documentId } = contract.source;
  const at = deps.now();
  await noteTombstone(deps.db, id, at);
  try {
    await leaveTombstone(deps, {
      kind: "contract",
      id,
      tenant: by.tenant,
      envelopeId,
      documentId,
      deletedAt: at,
    });
  } catch (error) {
    await noteTombstone(deps.db, id, null);
    throw error;
  }
  await markDeleted(deps, { tenant: by.tenant, id, by: by.subject, at });
}

type Deletion = {
  readonly tenant: string;
  readonly id: ContractId;
  /** Null if the deletion is known from its tombstone only. */
  readonly by: string | null;
  readonly at: Date;
};

/** Deletes a contract that has its tombstone. Does nothing if it is deleted already. */
export async function markDeleted(deps: Uses<"db" | "notifier">, deletion: Deletion): Promise<void> {
  const isNew = await deps.db.transaction().execute(async (tx) => await commitDeletion(tx, deletion));
  if (isNew) deps.notifier.changed(deletion.tenant);
}

async function commitDeletion(tx: Database, deletion: Deletion): Promise<boolean> {
  const { tenant, id, at } = deletion;
  const contract = await findContract(tx, tenant, id);
  if (contract === null) throw new Refusal("not-found", "Contract not found.");
  // When the last two contracts of an envelope are deleted concurrently, the second deletion must see the first.
  await lockEnvelope(tx, tenant, contract.source.envelopeId);
  if (!(await markContractDeleted(tx, deletion))) return false;
  const { documentKey: _key, deletedAt: _deletedAt, ...deleted } = contract;
  await recordChanges(tx, "deleted", [deleted], at);
  await markEnvelopeDeleted(tx, tenant, contract.source.envelopeId, at);
  await enqueueErasure(tx);
  return true;
}
