import type { Database } from "../../store/database.ts";
import type { PageCounts } from "../../store/ledger/reconciliation-pages.ts";
import type { Reconciliation } from "../../store/ledger/reconciliations.ts";
import type { FoundEnvelope } from "../../store/ledger/settlements.ts";
import { findUnlisted } from "../../store/ledger/unlisted-envelopes.ts";
import type { Link } from "../../store/links/links.ts";
import type { ListedRow } from "./judge-listed.ts";
import type { Cursor, ListedPage } from "./list-page.ts";

export type TallyWork = { readonly link: Link; readonly run: Reconciliation };

type Listed = { readonly page: ListedPage; readonly rows: readonly ListedRow[] };

/** Returns the counts that a page adds to its run. Skips what an earlier page or the other side has counted. */
export async function tallyPage(
  db: Database,
  work: TallyWork,
  listed: Listed,
): Promise<Omit<PageCounts, "colleagueSeen">> {
  return {
    ...countPage(work, listed),
    unlistedIds: work.run.kind === "full" ? await listUnlisted(db, work, listed) : [],
  };
}

/** Returns the counts that the page alone shows. */
export function countPage(
  { link, run }: TallyWork,
  { page, rows }: Listed,
): Omit<PageCounts, "colleagueSeen" | "unlistedIds"> {
  const alreadyCounted = new Set(run.countedIds);
  const onSide = rows.filter(({ envelope }) => !alreadyCounted.has(envelope.id));
  // Envelopes that the account sent were counted on the sent side.
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
  };
}

/** Returns the ids of a page that the next page will list again. */
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

/** Returns true if one of the link's Connect configurations should have reported the envelope. */
function isConnectsTask({ connect }: Link, { decision: { facts } }: ListedRow): boolean {
  if (facts.sentByAccount === true && connect.sent === "active") return true;
  return facts.receivedByUser === true && connect.received === "active";
}

/**
 * Finds ledger entries that the listing omits. Returns none unless the page ends a time range: later pages could still
 * list them.
 */
async function listUnlisted(
  db: Database,
  { link, run }: TallyWork,
  { page: { next }, rows }: Listed,
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
