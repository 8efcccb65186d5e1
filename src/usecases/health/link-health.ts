import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { AccountUser } from "../../docusign/api/user.ts";
import { faultFacts } from "../../docusign/faults/fault-facts.ts";
import { isDsAdmin } from "../../domain/admin.ts";
import { decideFault } from "../../domain/fault-policy.ts";
import type { Database } from "../../store/database.ts";
import { takeUpFailed } from "../../store/ledger/claims.ts";
import { changeLink, lockLink } from "../../store/links/link-writes.ts";
import type { Link, LinkCause, LinkState } from "../../store/links/links.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";

/** Stops a link's imports for a cause that a person has to mend; an ended link stays ended. */
export async function failLink(db: Database, link: Link, cause: LinkCause): Promise<void> {
  await changeLink(db, link.id, { state: "error", cause });
}

/** Lets a link go on whose cause is mended: what waited is due again, and a reconciliation fills the gap. */
export async function recoverLink(tx: Database, link: Link, now: Date): Promise<void> {
  await changeLink(tx, link.id, {
    state: healthyState(link),
    cause: null,
    // What it took so far tells nothing of the pace: it stood still.
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

/** The state that the link has where nothing is wrong with it. */
function healthyState(link: Pick<Link, "approval">): LinkState {
  return link.approval === "awaited" ? "awaiting-approval" : "active";
}

/**
 * Asks DocuSign whether the linked user still is DS Admin of the account (import-rules 5) and puts the link into
 * error where not; a link that was in error for this goes on where they are again. Takes over how the user is called and
 * reached by now, as entries without an id are known by the address (import-rules 1). Costs one call.
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
    if (isMended(current)) await recoverLink(tx, current, deps.now());
  });
  return true;
}

/** What DocuSign says of the user proves that both the right and the authorisation are there. */
function isMended({ cause }: Link): boolean {
  return cause === "not-admin" || cause === "authorization-revoked";
}

/**
 * Asks as `checkAdmin` does. DocuSign's refusal to say is a no and puts the link into error as well: user and account may
 * be closed or suspended, and which word DocuSign has for that is not known (facts 6). Its silence leaves it open.
 */
export async function askAdmin(
  deps: Uses<"adminProfiles" | "db" | "now">,
  link: Link,
  account: DocuSignAccount,
): Promise<"admin" | "not-admin" | "unsaid"> {
  try {
    return (await checkAdmin(deps, link, account)) ? "admin" : "not-admin";
  } catch (error) {
    const reaction = decideFault(faultFacts(error), { step: "user" }, deps.now());
    if (reaction.kind === "throw") throw error;
    if (reaction.kind !== "fail-link") return "unsaid";
    await failLink(deps.db, link, reaction.cause);
    return "not-admin";
  }
}
