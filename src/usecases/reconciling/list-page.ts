import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { type ListingPace, sizeOf } from "../../domain/listing-pace.ts";
import type { Side } from "../../store/ledger/reconciliations.ts";

/**
 * The position in the listing of a window: envelopes that the account sent come first, then those that the user
 * received.
 */
export type Cursor = {
  readonly side: Side;
  /** The next page starts at this completion time … */
  readonly cursorFrom: Date;
  /** … and skips this many rows. */
  readonly cursorPosition: number;
};

export type Place = Cursor & { readonly from: Date; readonly to: Date };

export type ListedPage = {
  /** Completed envelopes within the window. */
  readonly envelopes: readonly Envelope[];
  /** Rows that could not be parsed as envelopes. */
  readonly unreadable: number;
  /** Rows that DocuSign returned although they were not requested. */
  readonly extraneous: number;
  /** DocuSign's count of rows from the cursor to the window's end; null if it is unknown. */
  readonly total: number | null;
  /** Null when both sides are listed. */
  readonly next: Cursor | null;
  /** When DocuSign returned the page. */
  readonly readAt: Date;
};

const SECOND_MS = 1_000;

export function startOfListing(from: Date): Cursor {
  return { side: "sent", cursorFrom: from, cursorPosition: 0 };
}

/**
 * Lists one page of the window's completions, earliest first. Costs one call. A pace below the maximum makes the page
 * smaller, and may end it before the window does.
 */
export async function listPage(
  account: Pick<DocuSignAccount, "listCompleted">,
  window: Place,
  pace: ListingPace,
): Promise<ListedPage> {
  const { count, include, spanMs } = sizeOf(pace, window.to.getTime() - window.from.getTime());
  const place =
    spanMs === null ? window : { ...window, to: earlier(window.to, after(window.cursorFrom, spanMs)) };
  const isPart = place.to < window.to;
  const page = await account.listCompleted({
    // It is not known if DocuSign includes the start of a range. One second more is safe either way.
    from: new Date(place.cursorFrom.getTime() - SECOND_MS),
    to: place.to,
    startPosition: place.cursorPosition,
    count,
    receivedOnly: place.side === "received",
    include,
  });
  const envelopes = onePerId(page.envelopes).filter((envelope) => isAskedFor(envelope, place));
  const left = page.envelopes.filter((envelope) => !envelopes.includes(envelope));
  return {
    envelopes,
    unreadable: page.unreadable,
    extraneous: left.filter((envelope) => !isOfPageBefore(envelope, place)).length,
    total: isPart ? null : page.totalSetSize,
    readAt: page.readAt,
    next:
      isPart && page.next === null
        ? { side: place.side, cursorFrom: place.to, cursorPosition: 0 }
        : nextCursor(place, page.next, envelopes),
  };
}

function after(moment: Date, ms: number): Date {
  return new Date(moment.getTime() + ms);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

/** DocuSign may return extraneous rows (facts 3), for example one row twice. The last one counts. */
function onePerId(envelopes: readonly Envelope[]): Envelope[] {
  return [...new Map(envelopes.map((envelope) => [envelope.id, envelope])).values()];
}

/** True for rows of the additional second, which the previous page has counted. */
function isOfPageBefore({ completedAt }: Envelope, { from, cursorFrom }: Place): boolean {
  return completedAt !== null && completedAt < cursorFrom && completedAt >= from;
}

/** DocuSign may return extraneous rows (facts 3). Rows with another completion time belong to another window. */
function isAskedFor({ status, completedAt }: Envelope, { cursorFrom, to }: Place): boolean {
  if (status !== "completed") return false;
  return completedAt === null || (completedAt >= cursorFrom && completedAt <= to);
}

/** A listing that continues by position lists at most this many rows again. */
const MOST_LISTED_AGAIN = 50;

/**
 * Continues from the last completion listed, not by position: rows that vanish meanwhile would move others out of the
 * listing. Continues by position only if one second has more envelopes than a page holds, or DocuSign did not keep the
 * order. It then lists some rows again, for the same reason.
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
 * Returns the second of the last completion if the rows are in order of completion; otherwise null. After a start by
 * position, the skipped rows must be in order too: the page must then begin within the second from which it lists.
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
