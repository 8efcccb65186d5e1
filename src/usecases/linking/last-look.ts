import type { DocuSignAccount } from "../../docusign/api/account.ts";
import {
  abandonRun,
  endReconciliation,
  findRunning,
  type Reconciliation,
  startReconciliation,
} from "../../store/ledger/reconciliations.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { checkAdmin } from "../health/link-health.ts";
import { reconcileAloneSoon } from "../reconciling/lock.ts";
import { provenAfterwards, reconcilePage } from "../reconciling/reconcile-page.ts";
import { overlapStart } from "../reconciling/window.ts";

/** The owner is waiting for the deletion: a longer listing is left to the next link. */
const MOST_PAGES = 6;

/**
 * Accounts for what completed before `endedAt`. The link then ends at that time, not at its last reconciliation
 * (import-rules 2.3). Does nothing if the link is not importing or its first import is not listed: it then ends with
 * what it had accounted for.
 */
export async function takeLastLook(
  deps: Uses<"adminProfiles" | "db" | "now">,
  link: Link,
  account: DocuSignAccount,
  endedAt: Date,
): Promise<void> {
  if (link.state !== "active" || link.firstImport.listedAt === null) return;
  await reconcileAloneSoon(deps.db, link.id, async () => await closeAlone(deps, link, account, endedAt));
}

/** Abandons an unfinished run: the new one starts where both sides are accounted for, so nothing is skipped. */
async function closeAlone(
  deps: Uses<"adminProfiles" | "db" | "now">,
  link: Link,
  account: DocuSignAccount,
  endedAt: Date,
): Promise<true> {
  await abandonRun(deps.db, link.id, endedAt);
  const current = (await findLink(deps.db, link.id)) ?? link;
  const run = await startReconciliation(deps.db, {
    linkId: link.id,
    tenant: link.tenant,
    kind: "closing",
    from: overlapStart(current),
    to: endedAt,
    now: endedAt,
  });
  let failure: string | null = "DocuSign did not answer";
  try {
    const done = await listAll(deps, current, account);
    if (done)
      await proveListing(deps, current, { run: (await findRunning(deps.db, link.id)) ?? run, account });
    failure = done ? null : "too many envelopes to list before the end";
  } finally {
    await endReconciliation(deps.db, run.id, {
      state: failure === null ? "done" : "failed",
      now: deps.now(),
      waiting: 0,
      failed: 0,
      failure,
    });
  }
  return true;
}

/**
 * Does as after each reconciliation: if the listing itself did not prove that it showed the whole account, the user's
 * admin right does.
 */
async function proveListing(
  deps: Uses<"adminProfiles" | "db" | "now">,
  link: Link,
  { run, account }: { run: Reconciliation; account: DocuSignAccount },
): Promise<void> {
  if (run.colleagueSeen || !(await checkAdmin(deps, link, account))) return;
  await changeLink(deps.db, link.id, provenAfterwards({ link, run }));
}

async function listAll(deps: Uses<"db" | "now">, link: Link, account: DocuSignAccount): Promise<boolean> {
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const run = await findRunning(deps.db, link.id);
    if (run === null) return false;
    const end = await reconcilePage(deps, { link, run, account });
    if (typeof end !== "string") throw end.tooMuch;
    if (end === "done") return true;
  }
  return false;
}
