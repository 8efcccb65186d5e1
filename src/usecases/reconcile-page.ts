import type { DocuSignAccount } from "../docusign/account.ts";
import type { Envelope } from "../domain/envelope.ts";
import { type FoundEnvelope, recordFound } from "../store/envelopes.ts";
import { changeLink, type Link, type LinkChange, lockLink } from "../store/links.ts";
import { advanceReconciliation, type PageCounts, type Reconciliation } from "../store/reconciliations.ts";
import { judgeListed, type ListedRow } from "./judge-listed.ts";
import { type Cursor, listPage } from "./list-page.ts";
import type { ReconcileDeps } from "./reconcile-link.ts";
import { leavesNoGap } from "./reconciliation-window.ts";

export type PageWork = {
  readonly link: Link;
  readonly run: Reconciliation;
  readonly account: DocuSignAccount;
};

/**
 * Lists one page and takes it into the ledger: what is known costs nothing more, what a rule excludes is written
 * down with it, what is to be imported waits for the backlog; ledger, counts and position are one commit.
 */
export async function reconcilePage(deps: ReconcileDeps, work: PageWork): Promise<"more" | "done"> {
  const { link, run, account } = work;
  const { envelopes, next } = await listPage(account, run);
  const rows = await judgeListed(deps.db, link, envelopes);
  const found = rows.filter((row) => isNews(row, link)).map(({ line }) => line);
  await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "share");
    if (current === null || current.state === "ended") return;
    await recordFound(tx, found, { tenant: link.tenant, linkId: link.id, now: deps.now() });
    await advanceReconciliation(
      tx,
      run.id,
      tally(work, rows),
      next ?? { side: "received", cursorFrom: run.from, cursorPosition: 0 },
    );
    await changeLink(tx, link.id, reached(work, rows, next));
  });
  return next === null ? "done" : "more";
}

/** Whether the ledger's line is not what it should be: missing, another link's, or excluded by what no longer holds. */
function isNews({ entry, line }: ListedRow, link: Link): boolean {
  if (entry === undefined || entry.linkId !== link.id || entry.completedAt === null) return true;
  return entry.state === "excluded" && (line.state !== "excluded" || line.reason !== entry.reason);
}

function tally({ link, run }: PageWork, rows: readonly ListedRow[]): PageCounts {
  // What the account sent was counted when its side was listed.
  const isCounted = ({ envelope, entry }: ListedRow): boolean =>
    run.side === "sent" || entry === undefined || envelope.sender.accountId !== link.account.id;
  const counted = rows.filter(isCounted);
  const isKnown = ({ entry, announced }: ListedRow): boolean => entry !== undefined || announced;
  const fresh = counted.filter((row) => !isKnown(row)).map(({ line }) => line);
  return {
    listed: counted.length,
    known: counted.length - fresh.length,
    missed: fresh.filter(({ state }) => state === "waiting").length,
    excluded: countByReason(fresh.filter(({ state }) => state === "excluded")),
    colleagueSeen: run.side === "sent" && newestProof(link, rows) !== null,
  };
}

function countByReason(lines: readonly FoundEnvelope[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of lines) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/**
 * How far the link has accounted for everything: to the window's end once a side is through, else to the cursor. A
 * window that begins later than what was reached, as an operator may ask for, proves nothing of the gap between;
 * nor does a listing of what the account sent, unless it is known to show the whole account.
 */
function reached({ link, run }: PageWork, rows: readonly ListedRow[], next: Cursor | null): LinkChange {
  const sideDone = next?.side !== run.side;
  const moment = sideDone ? run.to : next.cursorFrom;
  if (run.side === "received") {
    const moves = leavesNoGap(run.from, link.receivedReached);
    return moves ? { receivedReached: later(moment, link.receivedReached) } : {};
  }
  const proof = newestProof(link, rows);
  const proven = proof !== null || run.colleagueSeen || wasJustChecked(link, run);
  return {
    ...(proof !== null && { colleagueSentAt: later(proof, link.colleagueSentAt) }),
    ...(proven &&
      leavesNoGap(run.from, link.sentReached) && { sentReached: later(moment, link.sentReached) }),
  };
}

const JUST_MS = 60 * 60 * 1000;

/** A first import follows the linking, where DocuSign said that the user is an admin. */
function wasJustChecked(link: Link, run: Reconciliation): boolean {
  return run.kind === "first" && link.checkedAt !== null && +run.startedAt - +link.checkedAt < JUST_MS;
}

/** For a listing that proved nothing by itself: DocuSign has said since that the user still is an admin. */
export function provenAfterwards({ link, run }: Pick<PageWork, "link" | "run">): LinkChange {
  return leavesNoGap(run.from, link.sentReached) ? { sentReached: later(run.to, link.sentReached) } : {};
}

/** The newest completion listed that only the right to see the whole account can show: between others. */
function newestProof(link: Link, rows: readonly ListedRow[]): Date | null {
  const moments = rows
    .filter(({ envelope }) => isBetweenOthers(link, envelope))
    .map(({ envelope }) => envelope.completedAt)
    .filter((moment) => moment !== null);
  return moments.reduce<Date | null>((newest, moment) => later(moment, newest), null);
}

function isBetweenOthers({ account, user }: Link, { sender, recipients }: Envelope): boolean {
  const byColleague = sender.accountId === account.id && sender.userId !== null && sender.userId !== user.id;
  if (!byColleague || recipients === null) return false;
  const email = user.email?.toLowerCase();
  return recipients.every((one) => one.userId !== user.id && one.email?.toLowerCase() !== email);
}

function later(one: Date, other: Date | null): Date {
  return other !== null && other > one ? other : one;
}
