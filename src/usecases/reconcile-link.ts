import type { DocuSignAccount } from "../docusign/account.ts";
import { DocuSignFault } from "../docusign/faults.ts";
import type { LinkId } from "../domain/identifiers.ts";
import { countParked, countTotals, nextDueAt, unparkEnvelopes } from "../store/envelopes.ts";
import { changeLink, findLink, type Link } from "../store/links.ts";
import {
  addCalls,
  endReconciliation,
  findRunning,
  type Reconciliation,
  type ReconciliationKind,
  startReconciliation,
} from "../store/reconciliations.ts";
import type { CallBudgets } from "./call-budgets.ts";
import { type ConnectDeps, ensureConnect } from "./ensure-connect.ts";
import { endFirstImport, wakeBacklog } from "./import-backlog.ts";
import { checkAdmin, failLink } from "./link-health.ts";
import type { OpenAccount } from "./open-account.ts";
import { reconcilePage } from "./reconcile-page.ts";

export type ReconcileDeps = ConnectDeps & { openAccount: OpenAccount; budgets: CallBudgets };

export type ReconcileStep =
  /** A page is done and there are more. */
  | { readonly kind: "more"; readonly first: boolean }
  | { readonly kind: "done"; readonly reconciliation: Reconciliation }
  /** The account may not be called before then. */
  | { readonly kind: "put-off"; readonly until: Date }
  /** The link does not import now: it has ended, awaits approval or is in error. */
  | { readonly kind: "not-importing"; readonly link: Link | null };

/** Envelopes appear in listings late, and windows must overlap (design decision 3, facts 3). */
const OVERLAP_MS = 24 * 60 * 60 * 1000;
/** DocuSign was founded in 2003: no envelope is older. */
const ALL_HISTORY = new Date("2003-01-01T00:00:00Z");
const FULL_EVERY_MS = 24 * 60 * 60 * 1000;
/** A proof older than this would make every hour list too many envelopes again. */
const LONGEST_PROOF_MS = 90 * 24 * 60 * 60 * 1000;
const UNPARK_AFTER_MS = 6 * 60 * 60 * 1000;

/**
 * One step of a link's reconciliation: starts a run where none is under way, then takes one page of listing into
 * the ledger; after the last one it checks the link's health and wakes the backlog. What completed before `to` is
 * accounted for when the step says done (import-rules 0 and 3). Each step continues from what is stored.
 */
export async function reconcileStep(
  deps: ReconcileDeps,
  request: { linkId: LinkId; to: Date; manual?: boolean },
): Promise<ReconcileStep> {
  const link = await findLink(deps.db, request.linkId);
  if (link === null || !(await mayReconcile(deps, link))) return { kind: "not-importing", link };
  const pace = await deps.budgets.pace(link.account.id, "other");
  if (pace.kind === "wait") return { kind: "put-off", until: pace.until };

  const run = (await findRunning(deps.db, link.id)) ?? (await start(deps, link, request));
  let calls = 0;
  const account = deps.openAccount(link, () => {
    calls += 1;
  });
  try {
    const page = await reconcilePage(deps, { link, run, account });
    if (page === "more") return { kind: "more", first: run.kind === "first" };
    return {
      kind: "done",
      reconciliation: await finish(deps, { link, run, account, manual: request.manual ?? false }),
    };
  } catch (error) {
    return await afterFault(deps, link, error);
  } finally {
    await addCalls(deps.db, run.id, calls);
  }
}

/** A vanished group stops imports, not the account of what waits; a lost admin right may have come back. */
async function mayReconcile(deps: ReconcileDeps, link: Link): Promise<boolean> {
  if (link.state === "active") return true;
  if (link.state !== "error") return false;
  if (link.cause === "group-missing") return true;
  return link.cause === "not-admin" && (await hasRecovered(deps, link));
}

async function hasRecovered(deps: ReconcileDeps, link: Link): Promise<boolean> {
  try {
    return (await checkAdmin(deps, link, deps.openAccount(link))) && link.approval !== "awaited";
  } catch (error) {
    if (error instanceof DocuSignFault) return false;
    throw error;
  }
}

async function start(
  deps: ReconcileDeps,
  link: Link,
  request: { to: Date; manual?: boolean },
): Promise<Reconciliation> {
  const now = deps.now();
  const kind = kindOf(link, request, now);
  if (kind === "first")
    await changeLink(deps.db, link.id, { firstImportStartedAt: link.firstImport.startedAt ?? now });
  const from = kind === "hourly" || kind === "manual" ? windowStart(link) : ALL_HISTORY;
  return await startReconciliation(deps.db, {
    linkId: link.id,
    tenant: link.tenant,
    kind,
    from,
    to: request.to,
    now,
  });
}

function kindOf(link: Link, request: { manual?: boolean }, now: Date): ReconciliationKind {
  if (link.firstImport.listedAt === null) return "first";
  if (request.manual === true) return "manual";
  return (link.fullyCheckedAt ?? link.firstImport.listedAt).getTime() + FULL_EVERY_MS <= now.getTime()
    ? "full"
    : "hourly";
}

/** Far enough back to show a colleague's envelope again: seeing it proves that the whole account is still visible. */
function windowStart(link: Link): Date {
  const from = overlapStart(link);
  const proof = link.colleagueSentAt;
  return proof === null || proof > from || proof.getTime() < from.getTime() - LONGEST_PROOF_MS ? from : proof;
}

/** A day before the moment up to which the link has accounted for everything. */
export function overlapStart(link: Link): Date {
  const reached = Math.min(link.sentReached?.getTime() ?? 0, link.receivedReached?.getTime() ?? 0);
  return new Date(Math.max(reached - OVERLAP_MS, ALL_HISTORY.getTime()));
}

type Finish = { link: Link; run: Reconciliation; account: DocuSignAccount; manual: boolean };

async function finish(deps: ReconcileDeps, work: Finish): Promise<Reconciliation> {
  const { link, manual } = work;
  const run = (await findRunning(deps.db, link.id)) ?? work.run;
  await checkHealth(deps, { ...work, run });
  const now = deps.now();
  const attemptedBefore = manual ? now : new Date(now.getTime() - UNPARK_AFTER_MS);
  await unparkEnvelopes(deps.db, link.id, { now, attemptedBefore });
  const { waiting } = await countTotals(deps.db, link.id);
  const failed = await countParked(deps.db, link.id);
  const atDocuSign = run.kind === "full" ? run.listed : null;
  await endReconciliation(deps.db, run.id, {
    state: "done",
    now,
    waiting,
    failed,
    atDocuSign,
    failure: null,
  });
  await noteListed(deps, link, run, now);
  await wakeBacklog(deps.db, link.id, now);
  return { ...run, state: "done", endedAt: now, waiting, failed };
}

/**
 * Once a day, and whenever no listing showed that the whole account is visible, DocuSign is asked whether the user
 * still is an admin; Connect is looked at once a day, and whenever it missed something.
 */
async function checkHealth(deps: ReconcileDeps, { link, run, account }: Finish): Promise<void> {
  const isFull = run.kind === "full";
  if (isFull || !run.colleagueSeen) await checkAdmin(deps, link, account);
  const isPending = link.connect.sent === "pending" || link.connect.received === "pending";
  const isIll = run.missed > 0 && run.kind !== "first";
  if (isFull || isPending || isIll) await ensureConnect(deps, link, account);
}

/** A first import of which nothing waits is over with its listing. */
async function noteListed(deps: ReconcileDeps, link: Link, run: Reconciliation, now: Date): Promise<void> {
  if (run.kind === "full") await changeLink(deps.db, link.id, { fullyCheckedAt: now });
  if (run.kind === "first") await changeLink(deps.db, link.id, { firstImportListedAt: now });
  const current = await findLink(deps.db, link.id);
  const isThrough = (await nextDueAt(deps.db, link.id)) === null;
  if (current !== null && isThrough) await endFirstImport(deps.db, current, now);
}

const AGAIN_MS = 60 * 1000;

/** The run stays under way and goes on from its page, unless a person has to mend the link first. */
async function afterFault(deps: ReconcileDeps, link: Link, error: unknown): Promise<ReconcileStep> {
  if (!(error instanceof DocuSignFault)) throw error;
  deps.log.warn({ linkId: link.id, fault: error.code, kind: error.kind }, "reconciliation put off");
  if (error.kind === "authorization-gone" || error.kind === "not-permitted") {
    await failLink(deps.db, link, error.kind === "not-permitted" ? "not-admin" : "authorization-revoked");
    return { kind: "not-importing", link: await findLink(deps.db, link.id) };
  }
  const until = error.retryAt ?? new Date(deps.now().getTime() + AGAIN_MS);
  if (error.kind === "throttled") await deps.budgets.pause(link.account.id, until);
  return { kind: "put-off", until };
}
