import type { DocuSignAccount } from "../docusign/account.ts";
import { DocuSignFault } from "../docusign/faults.ts";
import { Refusal } from "../domain/refusal.ts";
import { endOf } from "../domain/window.ts";
import { recordAudit } from "../store/audit.ts";
import { countTotals, oldestWaiting } from "../store/envelopes.ts";
import { closeLink, findCurrentLink, type Link, lockLink } from "../store/links.ts";
import { abandonRun } from "../store/reconciliations.ts";
import type { Owner } from "./begin-linking.ts";
import { closeAccount } from "./close-account.ts";
import { ensureConnect, removeConnect } from "./ensure-connect.ts";
import type { ReconcileDeps } from "./reconcile-link.ts";

/**
 * Ends the tenant's link: its Connect configurations at DocuSign go, its tokens are destroyed, history and contracts
 * remain (import-rules 5). What it did not account for is the next link's (import-rules 2.3). Refuses
 * `link-not-found`, and `deletion-failed` where DocuSign cannot be reached: then the link is as before.
 */
export async function endLink(deps: ReconcileDeps, owner: Owner): Promise<void> {
  const link = await findCurrentLink(deps.db, owner.tenant);
  if (link === null) throw new Refusal("link-not-found");
  await leaveDocuSign(deps, link);
  await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "update");
    if (current === null || current.state === "ended") throw new Refusal("link-not-found");
    const endedAt = deps.now();
    const until = endOf({
      endedAt,
      sentFrom: current.sentFrom,
      receivedFrom: current.receivedFrom,
      reachedSent: current.sentReached,
      reachedReceived: current.receivedReached,
      oldestWaiting: await oldestWaiting(tx, link.id),
    });
    await abandonRun(tx, link.id, endedAt);
    await closeLink(tx, link.id, { endedAt, ...until, totals: await countTotals(tx, link.id) });
    const details = { state: link.state, cause: link.cause };
    await recordAudit(tx, {
      tenant: link.tenant,
      linkId: link.id,
      at: endedAt,
      subject: owner.subject,
      action: "ended",
      details,
    });
  });
}

/** Looks once more what completed until now, then takes the configurations away; puts them back where that fails half-way. */
async function leaveDocuSign(deps: ReconcileDeps, link: Link): Promise<void> {
  const account = deps.openAccount(link);
  try {
    await accountForTheLast(deps, link, account);
    await removeConnect(deps, link, account);
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    // What DocuSign refuses now is pending, and the next reconciliation's to make.
    await ensureConnect(deps, link, account);
    throw new Refusal("deletion-failed", undefined, { cause: error });
  }
}

/** An authorisation that is gone stops no deletion: the link then ends where it had come to. */
async function accountForTheLast(deps: ReconcileDeps, link: Link, account: DocuSignAccount): Promise<void> {
  try {
    await closeAccount(deps, link, account);
  } catch (error) {
    const gone =
      error instanceof DocuSignFault &&
      (error.kind === "authorization-gone" || error.kind === "not-permitted");
    if (!gone) throw error;
  }
}
