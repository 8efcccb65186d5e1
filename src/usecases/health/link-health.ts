import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { AccountUser } from "../../docusign/api/user.ts";
import { faultFacts } from "../../docusign/faults/fault-facts.ts";
import { isDsAdmin } from "../../domain/admin.ts";
import { decideFault } from "../../domain/fault-policy.ts";
import type { Database } from "../../store/database.ts";
import { takeUpFailed } from "../../store/ledger/claims.ts";
import { changeLink, lockLink } from "../../store/links/link-writes.ts";
import type { Link, LinkCause } from "../../store/links/links.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";

/** Stops a link's imports for a cause that a person must fix. An ended link stays ended. */
export async function failLink(db: Database, link: Link, cause: LinkCause): Promise<void> {
  await changeLink(db, link.id, { state: "error", cause });
}

/** Resumes a link whose cause is fixed. Waiting envelopes become due again, and a reconciliation fills the gap. */
export async function recoverLink(tx: Database, link: Link, now: Date): Promise<void> {
  await changeLink(tx, link.id, {
    state: healthyState(link),
    cause: null,
    // The time so far includes the standstill, so it must not count for the pace.
    ...(isFirstImportUnderWay(link) && { firstImportStartedAt: now }),
  });
  await takeUpFailed(tx, link.id, { now, afresh: true });
  await enqueueReconciliation(tx, {
    linkId: link.id,
    hour: now,
    runAt: null,
    first: link.firstImport.listedAt === null,
  });
}

function isFirstImportUnderWay({ firstImport }: Link): boolean {
  return firstImport.startedAt !== null && firstImport.doneAt === null;
}

/** The state of a link without an error. */
function healthyState(link: Pick<Link, "approval">): "active" | "awaiting-approval" {
  return link.approval === "awaited" ? "awaiting-approval" : "active";
}

/**
 * Checks in DocuSign that the linked user is still a DS Admin of the account (import-rules 5). Costs one call.
 * Puts the link into error if not. Resumes a link that was in error for this once the user is an admin again. Updates
 * the user's name and e-mail address, because recipients without a user id are matched by address (import-rules 1).
 */
export async function checkAdmin(
  deps: Uses<"adminProfiles" | "db" | "now">,
  link: Link,
  account: DocuSignAccount,
): Promise<boolean> {
  const user: AccountUser = await account.getUser(link.user.id);
  if (!isDsAdmin(user, deps.adminProfiles)) {
    await failLink(deps.db, link, "not-admin");
    return false;
  }
  await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "update");
    if (current === null || current.state === "ended") return;
    const { name, email } = user;
    await changeLink(tx, link.id, {
      checkedAt: deps.now(),
      user: { name: name ?? current.user.name, email: email ?? current.user.email },
    });
    if (isFixed(current)) await recoverLink(tx, current, deps.now());
  });
  return true;
}

/** If DocuSign returns the user, both the admin right and the authorization are there. */
function isFixed({ cause }: Link): boolean {
  return cause === "not-admin" || cause === "authorization-revoked";
}

/**
 * Does what `checkAdmin` does, but does not throw DocuSign's faults. A refusal counts as "not-admin" and puts the link
 * into error too. The user or account may be closed or suspended, and DocuSign's code for that is not known (facts 6).
 * Returns "unknown" if DocuSign does not answer.
 */
export async function askAdmin(
  deps: Uses<"adminProfiles" | "db" | "now">,
  link: Link,
  account: DocuSignAccount,
): Promise<"admin" | "not-admin" | "unknown"> {
  try {
    return (await checkAdmin(deps, link, account)) ? "admin" : "not-admin";
  } catch (error) {
    const reaction = decideFault(faultFacts(error), { step: "user" }, deps.now());
    if (reaction.kind === "throw") throw error;
    if (reaction.kind !== "fail-link") return "unknown";
    await failLink(deps.db, link, reaction.cause);
    return "not-admin";
  }
}
