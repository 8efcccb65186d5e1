import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isTransient } from "../../docusign/faults/faults.ts";
import type { Database } from "../../store/database.ts";
import { takeUpFailed } from "../../store/ledger/claims.ts";
import { countCompletedUntil, countParked, countWaiting } from "../../store/ledger/counts.ts";
import {
  type Difference,
  endReconciliation,
  findLatest,
  type Reconciliation,
} from "../../store/ledger/reconciliations.ts";
import { hasCompletedSince } from "../../store/ledger/unlisted-envelopes.ts";
import { nextDueAt } from "../../store/ledger/waiting-envelopes.ts";
import { findConnectChecks } from "../../store/links/connect-checks.ts";
import { changeLink, lockLink } from "../../store/links/link-writes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { ensureConnect } from "../health/ensure-connect.ts";
import { checkAdmin } from "../health/link-health.ts";
import { maySwitchOn } from "../health/why-off.ts";
import { endFirstImport } from "../importing/first-import.ts";
import { wakeBacklog } from "../importing/wake-backlog.ts";
import { provenAfterwards } from "./reconcile-page.ts";

type Deps = Uses<"adminProfiles" | "db" | "log" | "now" | "publicUrl">;

export type FinishWork = {
  readonly link: Link;
  readonly run: Reconciliation;
  readonly account: DocuSignAccount;
  /** True if an operator requested the run: parked envelopes are then retried with their attempts reset. */
  readonly manual: boolean;
  /** True if a later run is waiting. It repeats the health check if DocuSign fails transiently now. */
  readonly isOvertaken: boolean;
};

/**
 * Ends a run that has listed everything. Checks the link's health first. One commit then writes the reconciliation
 * entry, retries parked envelopes and wakes the backlog. If the process dies before that commit, only the last step is
 * repeated.
 */
export async function finishReconciliation(deps: Deps, work: FinishWork): Promise<Reconciliation> {
  const { run } = work;
  await (work.isOvertaken ? ignoreTransient(deps, run, checkHealth(deps, work)) : checkHealth(deps, work));
  const now = deps.now();
  const ended = await deps.db.transaction().execute(async (tx) => await writeEnd(tx, work, now));
  // Commands print this in their own output.
  if (run.unannounced > 0 && !work.manual)
    deps.log.warn({ linkId: run.linkId, envelopes: run.unannounced }, "Connect did not report envelopes");
  if (ended.difference !== null)
    deps.log.warn({ linkId: run.linkId, ...ended.difference }, "the ledger differs from DocuSign");
  return ended;
}

async function ignoreTransient(
  { log }: Uses<"log">,
  { linkId }: Reconciliation,
  check: Promise<void>,
): Promise<void> {
  try {
    await check;
  } catch (error) {
    if (!(error instanceof DocuSignFault) || !isTransient(error)) throw error;
    log.warn(
      { linkId, fault: error.code, kind: error.kind },
      "reconciliation ended without a health check of the link",
    );
  }
}

/**
 * Checks the admin right once a day, when an operator requests the run, and in every hour in which something
 * completed. Also checks it when no listing proved that the whole account is visible (design decision 11). Checks
 * Connect once a day, when an operator requests the run, and when Connect is pending or missed an envelope.
 */
async function checkHealth(deps: Deps, work: FinishWork): Promise<void> {
  const { link, run, account } = work;
  const looksClosely = run.kind === "full" || work.manual;
  const asks = looksClosely || !run.colleagueSeen || (await hasNews(deps.db, run));
  if (asks && (await checkAdmin(deps, link, account))) {
    await changeLink(deps.db, link.id, provenAfterwards({ link, run }));
  }
  if (looksClosely || run.unannounced > 0 || (await mustCheckConnect(deps, link)))
    await ensureConnect(deps, link, account);
}

/** A configuration that DocuSign disabled again within a day is switched on when the day is over. */
async function mustCheckConnect({ db, now }: Uses<"db" | "now">, link: Link): Promise<boolean> {
  const { sent, received } = link.connect;
  if (isPending(link)) return true;
  if (sent !== "switched-off" && received !== "switched-off") return false;
  const checks = await findConnectChecks(db, link.id);
  return maySwitchOn(checks.sent, now()) || maySwitchOn(checks.received, now());
}

function isPending({ connect }: Link): boolean {
  return connect.sent === "pending" || connect.received === "pending";
}

/** Returns true if anything completed after the window of the previous run. */
async function hasNews(db: Database, { linkId }: Reconciliation): Promise<boolean> {
  const before = await findLatest(db, linkId);
  return before !== null && (await hasCompletedSince(db, linkId, before.to));
}

async function writeEnd(tx: Database, { link, run, manual }: FinishWork, now: Date): Promise<Reconciliation> {
  await lockLink(tx, link.id, "change");
  const failed = await countParked(tx, link.id);
  const isFull = run.kind === "full";
  // Parked envelopes are retried once an hour; the hourly run before a full check has done so.
  if (!isFull) await takeUpFailed(tx, link.id, { now, afresh: manual });
  const found = {
    waiting: await countWaiting(tx, link.id),
    failed,
    difference: isFull ? await findDifference(tx, run) : null,
  };
  const atDocuSign = isFull ? { atDocuSign: run.listed } : {};
  await endReconciliation(tx, run.id, { state: "done", now, failure: null, ...found, ...atDocuSign });
  await noteListed(tx, link, run, now);
  await wakeBacklog(tx, link.id, now);
  return { ...run, state: "done", endedAt: now, ...found, ...atDocuSign };
}

/** Compares the ledger with what DocuSign listed and counted; null if they agree. */
async function findDifference(tx: Database, run: Reconciliation): Promise<Difference | null> {
  const inLedger = await countCompletedUntil(tx, run.linkId, run.to);
  const uncounted = Math.max(0, run.docusignCount - run.rowsSeen);
  if (inLedger === run.listed && run.unlisted === 0 && run.unreadable === 0 && uncounted === 0) return null;
  return {
    atDocuSign: run.listed,
    inLedger,
    unlisted: { count: run.unlisted, envelopeIds: run.unlistedIds },
    unreadable: run.unreadable,
    uncounted,
  };
}

/** Records the listing of a first import or full check. Ends the first import if nothing of it is waiting. */
async function noteListed(tx: Database, link: Link, run: Reconciliation, now: Date): Promise<void> {
  if (run.kind === "full") await changeLink(tx, link.id, { fullyCheckedAt: now });
  if (run.kind === "first") await changeLink(tx, link.id, { firstImportListedAt: now });
  const current = await findLink(tx, link.id);
  const isThrough = (await nextDueAt(tx, link.id)) === null;
  if (current !== null && isThrough) await endFirstImport(tx, current, now);
}
