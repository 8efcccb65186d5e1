import type { DocuSignAccount } from "../docusign/account.ts";
import type { Envelope, Forwarding } from "../domain/envelope.ts";
import { decideOwnership } from "../domain/ownership.ts";
import { type FoundEnvelope, findEnvelopes, type LedgerEntry, recordFound } from "../store/envelopes.ts";
import { announcedEnvelopes } from "../store/events.ts";
import { listForwardingsOf } from "../store/forwardings.ts";
import { changeLink, type Link, type LinkChange, lockLink } from "../store/links.ts";
import {
  advanceReconciliation,
  type PageCounts,
  type Reconciliation,
  type Side,
} from "../store/reconciliations.ts";
import { owning } from "./import-envelope.ts";
import { writeListing } from "./listed-envelope.ts";
import type { ReconcileDeps } from "./reconcile-link.ts";

export type PageWork = {
  readonly link: Link;
  readonly run: Reconciliation;
  readonly account: DocuSignAccount;
};

/** DocuSign lists at most so many at once. */
const PAGE_SIZE = 1_000;

/**
 * Lists one page and takes it into the ledger: what is known costs nothing more, what a rule excludes is written
 * down with it, what is to be imported waits for the backlog; ledger, counts and position are one commit.
 */
export async function reconcilePage(deps: ReconcileDeps, work: PageWork): Promise<"more" | "done"> {
  const { link, run, account } = work;
  const page = await account.listCompleted({
    from: run.cursorFrom,
    to: run.to,
    startPosition: run.cursorPosition,
    count: PAGE_SIZE,
    receivedOnly: run.side === "received",
  });
  const envelopes = page.envelopes.filter((envelope) => envelope.status === "completed");
  const judged = await judgePage(deps, work, envelopes);
  const next = nextCursor(run, page, envelopes);
  await deps.db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, link.id, "share");
    if (current === null || current.state === "ended") return;
    await recordFound(tx, judged.found, { tenant: link.tenant, linkId: link.id, now: deps.now() });
    await advanceReconciliation(
      tx,
      run.id,
      judged.counts,
      next ?? { side: "received", cursorFrom: run.from, cursorPosition: 0 },
    );
    await changeLink(tx, link.id, reached(work, envelopes, next));
  });
  return next === null ? "done" : "more";
}

type Judged = { readonly found: readonly FoundEnvelope[]; readonly counts: PageCounts };

/** A listed envelope beside what the ledger has of it, and what follows from the listing. */
type Row = {
  readonly envelope: Envelope;
  readonly entry: LedgerEntry | undefined;
  readonly line: FoundEnvelope;
  readonly announced: boolean;
};

async function judgePage(
  deps: ReconcileDeps,
  work: PageWork,
  envelopes: readonly Envelope[],
): Promise<Judged> {
  const { link } = work;
  const rows = await readRows(deps, link, envelopes);
  const found = rows.filter(({ entry, line }) => entry === undefined || changes(entry, line, link));
  return { found: found.map(({ line }) => line), counts: tally(work, rows) };
}

async function readRows(deps: ReconcileDeps, link: Link, envelopes: readonly Envelope[]): Promise<Row[]> {
  const ids = envelopes.map((envelope) => envelope.id);
  const known = await findEnvelopes(deps.db, link.tenant, ids);
  const unknown = ids.filter((id) => !known.has(id));
  const announced = await announcedEnvelopes(deps.db, link.id, unknown);
  const forwardings = await listForwardingsOf(deps.db, link.tenant, ids);
  return envelopes.map((envelope) => ({
    envelope,
    entry: known.get(envelope.id),
    line: judgeRow(link, envelope, forwardings.get(envelope.id) ?? []),
    announced: announced.has(envelope.id),
  }));
}

function tally({ link, run }: PageWork, rows: readonly Row[]): PageCounts {
  // What the account sent was counted when its side was listed.
  const isCounted = ({ envelope, entry }: Row): boolean =>
    run.side === "sent" || entry === undefined || envelope.sender.accountId !== link.account.id;
  const counted = rows.filter(isCounted);
  const isKnown = ({ entry, announced }: Row): boolean => entry !== undefined || announced;
  const fresh = counted.filter((row) => !isKnown(row)).map(({ line }) => line);
  return {
    listed: counted.length,
    known: counted.length - fresh.length,
    missed: fresh.filter(({ state }) => state === "waiting").length,
    excluded: countByReason(fresh.filter(({ state }) => state === "excluded")),
    colleagueSeen:
      newestOfColleagues(
        link,
        rows.map(({ envelope }) => envelope),
      ) !== null,
  };
}

function countByReason(lines: readonly FoundEnvelope[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of lines) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** Decided from the listing itself; what it does not tell, the import asks for. */
function judgeRow(link: Link, envelope: Envelope, forwardings: readonly Forwarding[]): FoundEnvelope {
  const decision = decideOwnership({ link: owning(link), envelope, forwardings });
  const excluded = decision.kind === "exclude";
  return {
    envelopeId: envelope.id,
    state: excluded ? "excluded" : "waiting",
    reason: excluded ? decision.reason : "queued",
    completedAt: envelope.completedAt,
    facts: decision.facts,
    listing: decision.kind === "import" ? writeListing(envelope) : null,
  };
}

/** Whether the ledger's line is not what it should be: another link's, or excluded by what no longer holds. */
function changes(entry: LedgerEntry, line: FoundEnvelope, link: Link): boolean {
  if (entry.linkId !== link.id || entry.completedAt === null) return true;
  return entry.state === "excluded" && (line.state !== "excluded" || line.reason !== entry.reason);
}

type Cursor = { readonly side: Side; readonly cursorFrom: Date; readonly cursorPosition: number };

/**
 * Goes on from the last completion listed rather than by position, so that rows which vanish meanwhile shift
 * nothing out of sight; by position only inside one second with more envelopes than a page holds.
 */
function nextCursor(
  run: Reconciliation,
  page: { readonly next: number | null },
  envelopes: readonly Envelope[],
): Cursor | null {
  if (page.next === null) {
    return run.side === "sent" ? { side: "received", cursorFrom: run.from, cursorPosition: 0 } : null;
  }
  const last = envelopes.findLast((envelope) => envelope.completedAt !== null)?.completedAt;
  const second = last == null ? run.cursorFrom : new Date(Math.floor(last.getTime() / 1000) * 1000);
  if (second > run.cursorFrom) return { side: run.side, cursorFrom: second, cursorPosition: 0 };
  return { side: run.side, cursorFrom: run.cursorFrom, cursorPosition: page.next };
}

/** How far the link has accounted for everything: to the window's end once a side is through, else to the cursor. */
function reached({ link, run }: PageWork, envelopes: readonly Envelope[], next: Cursor | null): LinkChange {
  const sideDone = next?.side !== run.side;
  const moment = sideDone ? run.to : next.cursorFrom;
  const before = run.side === "sent" ? link.sentReached : link.receivedReached;
  const colleagueSentAt = newestOfColleagues(link, envelopes);
  return {
    ...(colleagueSentAt !== null && { colleagueSentAt: later(colleagueSentAt, link.colleagueSentAt) }),
    ...(run.side === "sent" && { sentReached: later(moment, before) }),
    ...(run.side === "received" && { receivedReached: later(moment, before) }),
  };
}

function newestOfColleagues(link: Link, envelopes: readonly Envelope[]): Date | null {
  const moments = envelopes
    .filter(
      ({ sender }) =>
        sender.accountId === link.account.id && sender.userId !== null && sender.userId !== link.user.id,
    )
    .map((envelope) => envelope.completedAt)
    .filter((moment) => moment !== null);
  return moments.reduce<Date | null>((newest, moment) => later(moment, newest), null);
}

function later(one: Date, other: Date | null): Date {
  return other !== null && other > one ? other : one;
}
