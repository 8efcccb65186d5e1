import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { Envelope } from "../../domain/envelope.ts";
import type { Side } from "../../store/ledger/reconciliations.ts";

/** Where a listing of a window stands: what the account sent comes first, then what the linked user received. */
export type Cursor = {
  readonly side: Side;
  /** The next page lists from this completion on … */
  readonly cursorFrom: Date;
  /** … leaving out this many rows. */
  readonly cursorPosition: number;
};

export type Place = Cursor & { readonly from: Date; readonly to: Date };

export type ListedPage = {
  /** Completed, within what was asked for. */
  readonly envelopes: readonly Envelope[];
  /** Rows that cannot be read as envelopes. */
  readonly unreadable: number;
  /** Rows that DocuSign added though they were not asked for. */
  readonly extraneous: number;
  /** How many rows DocuSign says that it has from here on. */
  readonly total: number | null;
  /** Null once both sides are listed. */
  readonly next: Cursor | null;
};

/** DocuSign lists at most so many at once. */
const PAGE_SIZE = 1_000;
const SECOND_MS = 1_000;

/** Where the listing of a window begins. */
export function startOfListing(from: Date): Cursor {
  return { side: "sent", cursorFrom: from, cursorPosition: 0 };
}

/** Lists one page of what completed in the window, earliest first. Costs one call. */
export async function listPage(account: DocuSignAccount, place: Place): Promise<ListedPage> {
  const page = await account.listCompleted({
    // Whether DocuSign counts its first moment in is not known: then the second before it does no harm.
    from: new Date(place.cursorFrom.getTime() - SECOND_MS),
    to: place.to,
    startPosition: place.cursorPosition,
    count: PAGE_SIZE,
    receivedOnly: place.side === "received",
  });
  const envelopes = onePerId(page.envelopes).filter((envelope) => isAskedFor(envelope, place));
  const left = page.envelopes.filter((envelope) => !envelopes.includes(envelope));
  return {
    envelopes,
    unreadable: page.unreadable,
    extraneous: left.filter((envelope) => !isOfPageBefore(envelope, place)).length,
    total: page.totalSetSize,
    next: nextCursor(place, page.next, envelopes),
  };
}

/** DocuSign announces extraneous rows (facts 3), such as one row more than once: the last one stands. */
function onePerId(envelopes: readonly Envelope[]): Envelope[] {
  return [...new Map(envelopes.map((envelope) => [envelope.id, envelope])).values()];
}

/** What the second before a page shows again of the one before it was counted there. */
function isOfPageBefore({ completedAt }: Envelope, { from, cursorFrom }: Place): boolean {
  return completedAt !== null && completedAt < cursorFrom && completedAt >= from;
}

/** DocuSign announces extraneous rows (facts 3): what completed at another time is another window's. */
function isAskedFor({ status, completedAt }: Envelope, { cursorFrom, to }: Place): boolean {
  if (status !== "completed") return false;
  return completedAt === null || (completedAt >= cursorFrom && completedAt <= to);
}

/** Of a page that is gone on from by position, so many rows at most are listed again. */
const MOST_LISTED_AGAIN = 50;

/**
 * Goes on from the last completion listed rather than by position, so that rows which vanish meanwhile shift
 * nothing out of sight. By position only inside one second with more envelopes than a page holds, and where
 * DocuSign did not keep to the order: then with some rows listed again, for the same reason.
 */
function nextCursor(place: Place, position: number | null, envelopes: readonly Envelope[]): Cursor | null {
  const { side, cursorFrom, cursorPosition } = place;
  if (position === null) return side === "sent" ? { ...startOfListing(place.from), side: "received" } : null;
  const last = lastInOrder(place, envelopes);
  if (last !== null && last > cursorFrom) return { side, cursorFrom: last, cursorPosition: 0 };
  const again = Math.min(MOST_LISTED_AGAIN, Math.floor((position - cursorPosition) / 2));
  return { side, cursorFrom, cursorPosition: position - again };
}

/**
 * The second of the last completion where the rows stand in the order of completion, those that were skipped by
 * position included: all of that second from which the page lists, if the page still begins with it. Otherwise null.
 */
function lastInOrder({ cursorFrom, cursorPosition }: Place, envelopes: readonly Envelope[]): Date | null {
  const moments = envelopes.map(({ completedAt }) => completedAt).filter((moment) => moment !== null);
  const [first, last] = [moments[0], moments.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (cursorPosition > 0 && startOfSecond(first) > cursorFrom) return null;
  const isInOrder = moments.every((moment, index) => moment >= (moments[index - 1] ?? moment));
  return isInOrder ? startOfSecond(last) : null;
}

function startOfSecond(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / SECOND_MS) * SECOND_MS);
}
