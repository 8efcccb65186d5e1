import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isSilence, unlessRefused } from "../../docusign/faults/faults.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { ALL_HISTORY, endOf, LISTING_DELAY_MS } from "../../domain/window.ts";
import type { Database } from "../../store/database.ts";
import { countTotals } from "../../store/ledger/counts.ts";
import { abandonRun } from "../../store/ledger/reconciliations.ts";
import { oldestAnnounced, oldestWaiting } from "../../store/ledger/waiting-envelopes.ts";
import { recordAudit } from "../../store/links/audit.ts";
import { closeLink, lockLink } from "../../store/links/link-writes.ts";
import { findCurrentLink, findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { ensureConnect, leavePending, removeConnect } from "../health/ensure-connect.ts";
import { reconcileAloneSoon } from "../reconciling/lock.ts";
import type { Owner } from "./begin-linking.ts";
import { takeLastLook } from "./last-look.ts";
import { computeTotals } from "./link-totals.ts";

/**
 * Ends the tenant's link. Removes its Connect configurations from DocuSign and destroys its tokens; history and
 * contracts remain (import-rules 5). The next link imports what this one did not account for (import-rules 2.3).
 * Refuses with `link-not-found`. Refuses with `deletion-failed` if DocuSign is unreachable, or does not remove
 * configurations that the user may remove; the link then stays as before. If DocuSign refuses the last look, the link
 * still ends, with what it had accounted for.
 */
export async function endLink(
  deps: Uses<"adminProfiles" | "db" | "log" | "now" | "openAccount" | "publicUrl">,
  owner: Owner,
): Promise<void> {
  const link = await findCurrentLink(deps.db, owner.tenant);
  if (link === null) throw new Refusal("link-not-found");
  // Taken before the calls to DocuSign: what completes from now on belongs to the next link.
  const endedAt = deps.now();
  const account = deps.openAccount(link, undefined, "person");
  try {
    await unlessRefused(takeLastLook(deps, link, account, endedAt));
  } catch (error) {
    throw asFailure(deps, link, error);
  }
  const end = async (): Promise<true> => {
    await leaveDocuSign(deps, link.id, account);
    await commitEnd(deps.db, link, { endedAt, owner });
    return true;
  };
  // A concurrent reconciliation would create the removed configurations again.
  if ((await reconcileAloneSoon(deps.db, link.id, end)) === null) await end();
}

/** Removes the configurations; on failure, restores them and leaves the link as before. */
async function leaveDocuSign(
  deps: Uses<"db" | "log" | "publicUrl">,
  id: LinkId,
  account: DocuSignAccount,
): Promise<void> {
  // The reconciliation that held the lock may have created configurations meanwhile.
  const link = await findLink(deps.db, id);
  if (link === null || link.state === "ended") throw new Refusal("link-not-found");
  // If this process dies from here on, the next reconciliation restores the configurations.
  await leavePending(deps.db, link);
  try {
    await removeConnect(deps, link, account);
  } catch (error) {
    await putBack(deps, link, account, error);
    throw asFailure(deps, link, error);
  }
}

async function commitEnd(
  db: Database,
  link: Link,
  { endedAt, owner }: { endedAt: Date; owner: Owner },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "update");
    if (current === null || current.state === "ended") throw new Refusal("link-not-found");
    const until = endOf({
      endedAt,
      sentFrom: current.sentFrom,
      receivedFrom: current.receivedFrom,
      reachedSent: current.sentReached,
      reachedReceived: current.receivedReached,
      oldestWaiting: await oldestWaiting(tx, link.id),
      oldestAnnounced: await oldestAnnounced(tx, link.id, {
        sinceEver: ALL_HISTORY,
        unlistedFrom: new Date(endedAt.getTime() - LISTING_DELAY_MS),
      }),
    });
    await abandonRun(tx, link.id, endedAt);
    const totals = await computeTotals(tx, current, await countTotals(tx, link.id));
    await closeLink(tx, link.id, { endedAt, ...until, totals });
    await recordAudit(tx, {
      tenant: link.tenant,
      linkId: link.id,
      at: endedAt,
      by: owner,
      action: "ended",
      details: { state: link.state, cause: link.cause },
    });
  });
}

/**
 * Restores configurations that may be gone. Those that DocuSign refuses now stay pending for the next reconciliation.
 * Leaves all of them pending if DocuSign did not answer: the owner has waited long enough.
 */
async function putBack(
  deps: Uses<"db" | "log" | "publicUrl">,
  link: Link,
  account: DocuSignAccount,
  error: unknown,
): Promise<void> {
  if (error instanceof DocuSignFault && isSilence(error)) return;
  await ensureConnect(deps, link, account);
}

/** Turns a fault of DocuSign into the refusal `deletion-failed`. Returns any other error as it is. */
function asFailure({ log }: Uses<"log">, link: Link, error: unknown): unknown {
  if (!(error instanceof DocuSignFault)) return error;
  log.warn({ linkId: link.id, fault: error.code, kind: error.kind }, "deletion failed");
  return new Refusal("deletion-failed", undefined, { cause: error });
}
