import type { DocuSignAccount } from "../docusign/account.ts";
import type { Envelope } from "../domain/envelope.ts";
import type { Side } from "../store/reconciliations.ts";

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
  /** Completed ones only. */
  readonly envelopes: readonly Envelope[];
  /** Null once both sides are listed. */
  readonly next: Cursor | null;
};

/** DocuSign lists at most so many at once. */
const PAGE_SIZE = 1_000;

/** Where the listing of a window begins. */
export function startOfListing(from: Date): Cursor {
  return { side: "sent", cursorFrom: from, cursorPosition: 0 };
}

/** Lists one page of what completed in the window, earliest first. Costs one call. */
export async function listPage(account: DocuSignAccount, place: Place): Promise<ListedPage> {
  const page = await account.listCompleted({
    from: place.cursorFrom,
    to: place.to,
    startPosition: place.cursorPosition,
    count: PAGE_SIZE,
    receivedOnly: place.side === "received",
  });
  const envelopes = page.envelopes.filter((envelope) => envelope.status === "completed");
  return { envelopes, next: nextCursor(place, page, envelopes) };
}

/**
 * Goes on from the last completion listed rather than by position, so that rows which vanish meanwhile shift
 * nothing out of sight; by position only inside one second with more envelopes than a page holds.
 */
function nextCursor(
  place: Place,
  page: { readonly next: number | null },
  envelopes: readonly Envelope[],
): Cursor | null {
  if (page.next === null) {
    return place.side === "sent" ? { side: "received", cursorFrom: place.from, cursorPosition: 0 } : null;
  }
  const last = envelopes.findLast((envelope) => envelope.completedAt !== null)?.completedAt;
  const second = last == null ? place.cursorFrom : new Date(Math.floor(last.getTime() / 1000) * 1000);
  if (second > place.cursorFrom) return { side: place.side, cursorFrom: second, cursorPosition: 0 };
  return { side: place.side, cursorFrom: place.cursorFrom, cursorPosition: page.next };
}
