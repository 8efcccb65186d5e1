import type { DocuSignAccount } from "../docusign/account.ts";
import { changeLink, type Link } from "../store/links.ts";
import {
  endReconciliation,
  findRunning,
  type Reconciliation,
  startReconciliation,
} from "../store/reconciliations.ts";
import { checkAdmin } from "./link-health.ts";
import type { ReconcileDeps } from "./reconcile-link.ts";
import { provenAfterwards, reconcilePage } from "./reconcile-page.ts";
import { reconcileAlone } from "./reconciliation-lock.ts";
import { overlapStart } from "./reconciliation-window.ts";

/** An ending waits for its owner: a longer look is left to the next link. */
const MOST_PAGES = 6;

/**
 * Accounts for what completed until now, so that a link that did its work ends at the moment it is ended, not at
 * its last hour (import-rules 2.3). Where the first import is not through, or the link did not import, its end
 * is what it had reached.
 */
export async function closeAccount(deps: ReconcileDeps, link: Link, account: DocuSignAccount): Promise<void> {
  if (link.state !== "active" || link.firstImport.listedAt === null) return;
  await reconcileAlone(deps.db, link.id, async () => await closeAlone(deps, link, account));
}

async function closeAlone(deps: ReconcileDeps, link: Link, account: DocuSignAccount): Promise<void> {
  const now = deps.now();
  const running = await findRunning(deps.db, link.id);
  if (running !== null) return;
  const run = await startReconciliation(deps.db, {
    linkId: link.id,
    tenant: link.tenant,
    kind: "closing",
    from: overlapStart(link),
    to: now,
    now,
  });
  const done = await listAll(deps, link, account);
  if (done) await proveListing(deps, link, { run: (await findRunning(deps.db, link.id)) ?? run, account });
  const failure = done ? null : "too many envelopes to list before the end";
  await endReconciliation(deps.db, run.id, {
    state: done ? "done" : "failed",
    now,
    waiting: 0,
    failed: 0,
    failure,
  });
}

/** As after each reconciliation: a listing that showed nothing between others may not have shown the whole account. */
async function proveListing(
  deps: ReconcileDeps,
  link: Link,
  { run, account }: { run: Reconciliation; account: DocuSignAccount },
): Promise<void> {
  if (run.colleagueSeen || !(await checkAdmin(deps, link, account))) return;
  await changeLink(deps.db, link.id, provenAfterwards({ link, run }));
}

async function listAll(deps: ReconcileDeps, link: Link, account: DocuSignAccount): Promise<boolean> {
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const run = await findRunning(deps.db, link.id);
    if (run === null) return false;
    if ((await reconcilePage(deps, { link, run, account })) === "done") return true;
  }
  return false;
}
