import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { advanceReconciliation } from "../../store/ledger/reconciliation-pages.ts";
import type { Reconciliation } from "../../store/ledger/reconciliations.ts";
import { recordFound } from "../../store/ledger/settlements.ts";
import { changeLink, type LinkChange, lockLink } from "../../store/links/link-writes.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { judgeListed, type ListedRow } from "./judge-listed.ts";
import { type Cursor, listPage } from "./list-page.ts";
import { countedAgain, tallyPage } from "./tally-page.ts";
import { leavesNoGap } from "./window.ts";

export type PageWork = {
  readonly link: Link;
  readonly run: Reconciliation;
  readonly account: DocuSignAccount;
};

/**
 * Lists one page and takes it into the ledger: what is known costs nothing more, what a rule excludes is written
 * down with it, what is to be imported waits for the backlog; ledger, counts and position are one commit.
 */
export async function reconcilePage(deps: Uses<"db" | "now">, work: PageWork): Promise<"more" | "done"> {
  const { link, run, account } = work;
  const page = await listPage(account, run);
  const { next } = page;
  const rows = await judgeListed(deps.db, link, page.envelopes);
  const found = rows.filter((row) => isNews(row, link)).map(({ line }) => line);
  const counts = await tallyPage(deps.db, work, { page, rows });
  const cursor = next ?? afterLast(run);
  await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "change");
    if (current === null || current.state === "ended") return;
    await recordFound(tx, found, { tenant: link.tenant, linkId: link.id, now: deps.now() });
    await advanceReconciliation(
      tx,
      run.id,
      { ...counts, colleagueSeen: run.side === "sent" && newestProof(link, rows) !== null },
      { ...cursor, countedIds: countedAgain(run, rows, cursor) },
    );
    await changeLink(tx, link.id, reached(work, rows, next));
  });
  return next === null ? "done" : "more";
}

/** Where a run stands that has listed both sides: should it die before it is ended, nothing is counted twice. */
function afterLast(run: Reconciliation): Cursor {
  return { side: "received", cursorFrom: run.to, cursorPosition: 0 };
}

/**
 * Whether the ledger's line is not what it should be: missing, another link's, or excluded by what no longer holds.
 * A listing that leaves open what it excludes says nothing against an exclusion.
 */
function isNews({ entry, line, decision }: ListedRow, link: Link): boolean {
  if (entry === undefined || entry.linkId !== link.id || entry.completedAt === null) return true;
  if (entry.state !== "excluded" || decision.kind === "undecided") return false;
  return line.reason !== entry.reason;
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
  return rows
    .filter(({ envelope }) => isBetweenOthers(link, envelope))
    .reduce<Date | null>((newest, { envelope }) => later(envelope.completedAt, newest), null);
}

function isBetweenOthers({ account, user }: Link, { sender, recipients }: Envelope): boolean {
  const byColleague = sender.accountId === account.id && sender.userId !== null && sender.userId !== user.id;
  if (!byColleague || recipients === null) return false;
  const email = user.email?.toLowerCase();
  return recipients.every((one) => one.userId !== user.id && one.email?.toLowerCase() !== email);
}

function later<Moment extends Date | null>(one: Moment, other: Date | null): Moment | Date {
  return other !== null && (one === null || other > one) ? other : one;
}
