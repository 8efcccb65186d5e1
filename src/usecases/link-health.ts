import type { DocuSignAccount } from "../docusign/account.ts";
import { DocuSignFault, isOfTheIntegration, passes } from "../docusign/faults.ts";
import type { AccountUser } from "../docusign/user.ts";
import { type AdminProfiles, isDsAdmin } from "../domain/admin.ts";
import type { Database } from "../store/database.ts";
import { unparkEnvelopes } from "../store/envelopes.ts";
import { changeLink, type Link, type LinkCause, type LinkState, lockLink } from "../store/links.ts";
import { enqueueReconciliation } from "../store/queue.ts";

/** Stops a link's imports for a cause that a person has to mend; an ended link stays ended. */
export async function failLink(db: Database, link: Link, cause: LinkCause): Promise<void> {
  await changeLink(db, link.id, { state: "error", cause });
}

/** Lets a link go on whose cause is mended: what waited is due again, and a reconciliation fills the gap. */
export async function recoverLink(tx: Database, link: Link, now: Date): Promise<void> {
  await changeLink(tx, link.id, { state: healthyState(link), cause: null });
  await unparkEnvelopes(tx, link.id, { now, afresh: true });
  await enqueueReconciliation(tx, {
    linkId: link.id,
    hour: now,
    runAt: null,
    first: link.firstImport.listedAt === null,
  });
}

/** The state that the link has where nothing is wrong with it. */
function healthyState(link: Pick<Link, "approval">): LinkState {
  return link.approval === "awaited" ? "awaiting-approval" : "active";
}

export type HealthDeps = { db: Database; adminProfiles: AdminProfiles; now: () => Date };

/**
 * Asks DocuSign whether the linked user still is DS Admin of the account (import-rules 5) and puts the link into
 * error where not; a link that was in error for this goes on where they are again. Costs one call.
 */
export async function checkAdmin(deps: HealthDeps, link: Link, account: DocuSignAccount): Promise<boolean> {
  const user: AccountUser = await account.getUser(link.user.id);
  if (!isDsAdmin(user, deps.adminProfiles)) {
    await failLink(deps.db, link, "not-admin");
    return false;
  }
  await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "update");
    if (current === null || current.state === "ended") return;
    await changeLink(tx, link.id, { checkedAt: deps.now() });
    if (current.cause === "not-admin") await recoverLink(tx, current, deps.now());
  });
  return true;
}

/**
 * Whether the linked user may still be DS Admin. A refusal to say is a no and puts the link into error as well: user and
 * account may be closed or suspended, and which word DocuSign has for that is not known (facts 6). Silence leaves it open.
 */
export async function mayBeAdmin(deps: HealthDeps, link: Link, account: DocuSignAccount): Promise<boolean> {
  try {
    return await checkAdmin(deps, link, account);
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    if (passes(error) || isOfTheIntegration(error)) return true;
    await failLink(
      deps.db,
      link,
      error.kind === "authorization-gone" ? "authorization-revoked" : "not-admin",
    );
    return false;
  }
}
