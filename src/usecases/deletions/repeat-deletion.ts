import { setTimeout as sleep } from "node:timers/promises";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import { Refusal } from "../../domain/refusal.ts";
import type { ContractTombstone, LinkTombstone, TenantTombstone } from "../../domain/tombstone.ts";
import { importLock } from "../../store/ledger/claims.ts";
import { findCurrentLink, findLink, type Link } from "../../store/links/links.ts";
import { withLock } from "../../store/locks.ts";
import { findLinksOf } from "../../store/upkeep/tenant-erasure.ts";
import { findContractOfTombstone, storeLostDeletion } from "../../store/upkeep/tombstones.ts";
import type { Uses } from "../capabilities.ts";
import { removeConnect } from "../health/ensure-connect.ts";
import { commitEnd } from "../linking/end-link.ts";
import { reconcileAlone, reconcileAloneSoon } from "../reconciling/lock.ts";
import { markDeleted } from "./delete-contract.ts";
import { eraseData } from "./erase-data.ts";

/** The audit trail names the service, since the tombstone names no person. */
const SUBJECT = "torikomi";

/** Deletes the contract again, or remembers that it must not be imported again. */
export async function applyContract(
  deps: Uses<"db" | "log" | "notifier">,
  tombstone: ContractTombstone,
): Promise<void> {
  const lock = importLock(tombstone.tenant, tombstone.envelopeId);
  for (let left = TRIES; left > 0; left -= 1) {
    const done = await withLock(deps.db, lock, async () => {
      await deleteAgain(deps, tombstone);
      return true;
    });
    if (done !== null) return;
    await sleep(PAUSE_MS);
  }
  deps.log.warn(
    { envelopeId: tombstone.envelopeId },
    "an import is under way: its deletion waits for an hour",
  );
}

const TRIES = 40;
const PAUSE_MS = 250;

async function deleteAgain(deps: Uses<"db" | "notifier">, tombstone: ContractTombstone): Promise<void> {
  const contract = await findContractOfTombstone(deps.db, tombstone);
  if (contract === null) return await storeLostDeletion(deps.db, tombstone);
  const { tenant, deletedAt } = tombstone;
  await markDeleted(deps, { tenant, id: contract.id, by: null, at: deletedAt });
}

type LinkUses = Uses<"db" | "log" | "openAccount" | "publicUrl">;

/**
 * Ends the link again. Returns false if the database has no such link: there is nothing that could import. Also returns
 * false if its deletion may be under way in another process: if that fails, the next hour completes it.
 */
export async function applyLink(deps: LinkUses, tombstone: LinkTombstone, isLost: boolean): Promise<boolean> {
  const link = await findLink(deps.db, tombstone.id);
  if (link === null) {
    await storeLostDeletion(deps.db, tombstone);
    return false;
  }
  const { deletedAt: endedAt, sentUntil, receivedUntil } = tombstone;
  const end = async (): Promise<boolean> =>
    await endAgain(deps, link, { endedAt, remembered: { sentUntil, receivedUntil } });
  if (!isLost) return (await reconcileAlone(deps.db, link.id, end)) ?? false;
  return (await reconcileAloneSoon(deps.db, link.id, end)) ?? (await end());
}

async function endAgain(
  deps: LinkUses,
  link: Link,
  end: Omit<Parameters<typeof commitEnd>[2], "by">,
): Promise<boolean> {
  await removeIfPossible(deps, link);
  try {
    await commitEnd(deps.db, link, { ...end, by: { subject: SUBJECT } });
    return true;
  } catch (error) {
    // The deletion that wrote the tombstone has been committed in the meantime.
    if (error instanceof Refusal && error.code === "link-not-found") return false;
    throw error;
  }
}

/** The deletion has removed them, unless its process died before. Messages that still arrive get 410. */
async function removeIfPossible(deps: LinkUses, link: Link): Promise<void> {
  try {
    await removeConnect(deps, link, deps.openAccount(link, undefined, "person"));
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    deps.log.warn({ linkId: link.id, fault: error.code }, "Connect configurations of an ended link remain");
  }
}

/** Erases the tenant again. Returns false, and erases nothing, if the tenant has been linked again since. */
export async function applyTenant(
  deps: LinkUses & Uses<"documents" | "now">,
  { tenant, deletedAt }: TenantTombstone,
): Promise<boolean> {
  const { newest } = await findLinksOf(deps.db, tenant);
  if (newest !== null && newest > deletedAt) {
    deps.log.error({ tenant }, "an erased tenant has been linked again: nothing was erased");
    return false;
  }
  const link = await findCurrentLink(deps.db, tenant);
  if (link !== null) await endAgain(deps, link, { endedAt: deletedAt });
  await eraseData(deps, tenant, deletedAt);
  return true;
}
