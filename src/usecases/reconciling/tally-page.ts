import type { Database } from "../../store/database.ts";
import type { PageCounts } from "../../store/ledger/reconciliation-pages.ts";
import type { Reconciliation } from "../../store/ledger/reconciliations.ts";
import type { FoundEnvelope } from "../../store/ledger/settlements.ts";
import { findUnlisted } from "../../store/ledger/unlisted-envelopes.ts";
import type { Link } from "../../store/links/links.ts";
import type { ListedRow } from "./judge-listed.ts";
import type { Cursor, ListedPage } from "./list-page.ts";

export type TallyWork = { readonly link: Link; readonly run: Reconciliation };

/** What a page adds to its run's entry; what an earlier page has counted, or the other side, counts no more. */
export async function tallyPage(
  db: Database,
  work: TallyWork,
  { page, rows }: { page: ListedPage; rows: readonly ListedRow[] },
): Promise<Omit<PageCounts, "colleagueSeen">> {
  const { link, run } = work;
  const alreadyCounted = new Set(run.countedIds);
  const onSide = rows.filter(({ envelope }) => !alreadyCounted.has(envelope.id));
  // What the account sent was counted when its side was listed.
  const counted = onSide.filter(
    ({ envelope, entry }) =>
      run.side === "sent" || entry === undefined || envelope.sender.accountId !== link.account.id,
  );
  const fresh = counted.filter(({ entry, announced }) => entry === undefined && !announced);
  const missed = fresh.filter(({ line }) => line.state === "waiting");
  const isFirstOfSide = run.cursorPosition === 0 && +run.cursorFrom === +run.from;
  return {
    listed: counted.length,
    known: counted.length - fresh.length,
    missed: missed.length,
    excluded: countByReason(fresh.map(({ line }) => line).filter(({ state }) => state === "excluded")),
    unannounced: run.kind === "first" ? 0 : missed.filter((row) => isConnectsTask(link, row)).length,
    unreadable: page.unreadable,
    docusignCount: isFirstOfSide ? (page.total ?? 0) : 0,
    rowsSeen: onSide.length + page.unreadable + page.extraneous,
    unlistedIds: run.kind === "full" ? await listUnlisted(db, work, { page, rows }) : [],
  };
}

/** The envelopes of a page that a listing from the cursor shows again. */
export function countedAgain(
  run: Reconciliation,
  rows: readonly ListedRow[],
  { side, cursorFrom, cursorPosition }: Cursor,
): readonly string[] {
  if (side !== run.side) return [];
  const again = rows
    .map(({ envelope }) => envelope)
    .filter(({ completedAt }) => completedAt === null || completedAt >= cursorFrom)
    .map(({ id }) => id);
  return cursorPosition === 0 ? again : [...new Set([...run.countedIds, ...again])];
}

function countByReason(lines: readonly FoundEnvelope[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of lines) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** Whether a Connect configuration of the link should have told of the envelope. */
function isConnectsTask({ connect }: Link, { decision: { facts } }: ListedRow): boolean {
  if (facts.sentByAccount === true && connect.sent === "active") return true;
  return facts.receivedByUser === true && connect.received === "active";
}

/** Only where the page ends a stretch of time can it be said that nothing else completed in it. */
async function listUnlisted(
  db: Database,
  { link, run }: TallyWork,
  { page: { next }, rows }: { page: ListedPage; rows: readonly ListedRow[] },
): Promise<readonly string[]> {
  const isSideDone = next === null || next.side !== run.side;
  if (!isSideDone && next.cursorPosition > 0) return [];
  const unlisted = await findUnlisted(db, {
    linkId: link.id,
    decidedSince: link.linkedAt,
    sentByAccount: run.side === "sent",
    from: run.cursorFrom,
    to: isSideDone ? run.to : next.cursorFrom,
    toIncluded: isSideDone,
    listedIds: rows.map(({ envelope }) => envelope.id),
  });
  return unlisted.filter((id) => !run.countedIds.includes(id));
}
