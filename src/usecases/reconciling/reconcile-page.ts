import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isOverload } from "../../docusign/faults/faults.ts";
import { contentDocuments } from "../../domain/contract.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { FULL_PACE, faster, type ListingPace } from "../../domain/listing-pace.ts";
import { areSameStarts } from "../../domain/window.ts";
import { completeContracts, type SourceFacts } from "../../store/contracts/complete-contracts.ts";
import { advanceReconciliation } from "../../store/ledger/reconciliation-pages.ts";
import type { Reconciliation } from "../../store/ledger/reconciliations.ts";
import { recordFound } from "../../store/ledger/settlements.ts";
import { changeLink, type LinkChange, lockLink } from "../../store/links/link-writes.ts";
import type { Link } from "../../store/links/links.ts";
import { findListingPace, storeListingPace } from "../../store/links/listing-pace.ts";
import type { Uses } from "../capabilities.ts";
import { judgeListed, type ListedRow } from "./judge-listed.ts";
import { type Cursor, type ListedPage, listPage } from "./list-page.ts";
import { countedAgain, tallyPage } from "./tally-page.ts";
import { leavesNoGap } from "./window.ts";

export type PageWork = {
  readonly link: Link;
  readonly run: Reconciliation;
  readonly account: DocuSignAccount;
};

/**
 * Lists one page and records it in the ledger. Known envelopes stay as they are, excluded ones are recorded with their
 * rule, and those to import wait for the backlog. Ledger, counts and position are written in one commit.
 * Pages that succeed let the link's next ones ask for more, up to the maximum. If the link's start date has moved
 * meanwhile, nothing is written, and the page is listed again.
 */
export async function reconcilePage(deps: Uses<"db" | "now">, work: PageWork): Promise<PageEnd> {
  const { link, run } = work;
  const pace = await findListingPace(deps.db, link.id);
  const page = await listUnlessTooMuch(work, pace);
  if (page instanceof DocuSignFault) return { tooMuch: page };
  const { next } = page;
  const rows = await judgeListed(deps, link, page);
  const found = rows.filter((row) => isNews(row, link)).map(({ line }) => line);
  const counts = await tallyPage(deps.db, work, { page, rows });
  const cursor = next ?? afterLast(run);
  const isWritten = await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "change");
    if (current === null || current.state === "ended") return true;
    if (!areSameStarts(current, link)) return false;
    await recordFound(tx, found, { tenant: link.tenant, linkId: link.id, now: deps.now() });
    await advanceReconciliation(
      tx,
      run.id,
      { ...counts, colleagueSeen: run.side === "sent" && newestProof(link, rows) !== null },
      { ...cursor, countedIds: countedAgain(run, rows, cursor) },
    );
    await changeLink(tx, link.id, reached(work, rows, next));
    if (pace !== FULL_PACE) await storeListingPace(tx, link.id, faster(pace), deps.now());
    return true;
  });
  if (run.kind === "full") await completeContracts(deps.db, link, rows.flatMap(factsOf));
  return next === null && isWritten ? "done" : "more";
}

/** `tooMuch`: DocuSign could not finish the page. The next one should ask for less. */
export type PageEnd = "more" | "done" | { readonly tooMuch: DocuSignFault };

async function listUnlessTooMuch(
  { run, account }: PageWork,
  pace: ListingPace,
): Promise<ListedPage | DocuSignFault> {
  try {
    return await listPage(account, run, pace);
  } catch (error) {
    if (!(error instanceof DocuSignFault) || !isOverload(error)) throw error;
    return error;
  }
}

/** The facts about the contracts of an imported envelope, which version 0.1 did not store. */
function factsOf({ envelope, entry }: ListedRow): SourceFacts[] {
  if (entry?.state !== "imported") return [];
  return contentDocuments(envelope.documents ?? []).map(({ documentId }, index) => ({
    envelopeId: envelope.id,
    documentId,
    position: index + 1,
    ...envelope.parties,
  }));
}

/**
 * The position of a run that has listed both sides. If the process dies before the run ends, nothing is counted twice.
 */
function afterLast(run: Reconciliation): Cursor {
  return { side: "received", cursorFrom: run.to, cursorPosition: 0 };
}

/**
 * Returns true if the ledger entry must be written: it is missing, belongs to another link, or has an exclusion that
 * no longer holds. A listing that leaves the decision open does not contradict an exclusion.
 */
export function isNews({ entry, line, decision }: ListedRow, link: Link): boolean {
  if (entry === undefined || entry.linkId !== link.id || entry.completedAt === null) return true;
  if (entry.state !== "excluded" || decision.kind === "undecided") return false;
  return line.reason !== entry.reason;
}

/**
 * Returns how far the link has now accounted for everything: to the window's end if the side is done, otherwise to the
 * cursor.
 * A window that begins later than the link has reached proves nothing about the gap; an operator can request one. A
 * listing of sent envelopes counts only if it is known to show the whole account.
 */
export function reached(
  { link, run }: Pick<PageWork, "link" | "run">,
  rows: readonly Pick<ListedRow, "envelope">[],
  next: Cursor | null,
): LinkChange {
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

/** A first import follows the linking, which checked the admin right. */
function wasJustChecked(link: Link, run: Reconciliation): boolean {
  return run.kind === "first" && link.checkedAt !== null && +run.startedAt - +link.checkedAt < JUST_MS;
}

/** The change after a listing that proved nothing itself, once DocuSign has confirmed the admin right. */
export function provenAfterwards({ link, run }: Pick<PageWork, "link" | "run">): LinkChange {
  return leavesNoGap(run.from, link.sentReached) ? { sentReached: later(run.to, link.sentReached) } : {};
}

/** Returns the newest listed completion between other users, which only a user who sees the whole account can see. */
export function newestProof(link: Link, rows: readonly Pick<ListedRow, "envelope">[]): Date | null {
  return rows
    .filter(({ envelope }) => isBetweenOthers(link, envelope))
    .reduce<Date | null>((newest, { envelope }) => later(envelope.completedAt, newest), null);
}

function isBetweenOthers({ account, user }: Link, { sender, recipients, groupMembers }: Envelope): boolean {
  const byColleague = sender.accountId === account.id && sender.userId !== null && sender.userId !== user.id;
  if (!byColleague || recipients === null) return false;
  const email = user.email?.toLowerCase();
  return [...recipients, ...(groupMembers ?? [])].every(
    (one) => one.userId !== user.id && one.email?.toLowerCase() !== email,
  );
}

function later<Moment extends Date | null>(one: Moment, other: Date | null): Moment | Date {
  return other !== null && (one === null || other > one) ? other : one;
}
