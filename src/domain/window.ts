import type { AccountId, UserId } from "./identifiers.ts";

/** DocuSign was founded in 2003: no envelope is older. */
export const ALL_HISTORY = new Date("2003-01-01T00:00:00Z");

/** A link of the tenant that is over; `…Until` is end(l) of import-rules 2.3, null where it began at "none" and accounted for nothing. */
export type EndedLink = {
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly endedAt: Date;
  readonly sentUntil: Date | null;
  readonly receivedUntil: Date | null;
};

/** From when a link imports; null is "none": all history. */
export type Starts = { readonly sentFrom: Date | null; readonly receivedFrom: Date | null };

/**
 * The starts of a new link, from all ended links of its tenant in the order in which they were made
 * (import-rules 2): what it sends goes on where the account was left, what it receives where the user was.
 */
export function startsFor(
  history: readonly EndedLink[],
  next: { readonly accountId: AccountId; readonly userId: UserId },
): Starts {
  const previous = findLastEnded(history);
  const own = findLastEnded(
    history.filter((link) => link.userId === next.userId && link.accountId === next.accountId),
  );
  const sender = previous?.accountId === next.accountId ? previous : own;
  return { sentFrom: sender?.sentUntil ?? null, receivedFrom: own?.receivedUntil ?? null };
}

function findLastEnded(links: readonly EndedLink[]): EndedLink | undefined {
  // The sort is stable: of two that ended at once, the one that was made later.
  return links.toSorted((one, other) => one.endedAt.getTime() - other.endedAt.getTime()).at(-1);
}

export type Ending = {
  readonly endedAt: Date;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
  /** Everything the account sent that completed before this moment is accounted for; null: nothing yet. */
  readonly reachedSent: Date | null;
  /** The same for what the user received. */
  readonly reachedReceived: Date | null;
  /** When the oldest envelope completed that waits for its import. */
  readonly oldestWaiting: Date | null;
  /** When the first of those was announced that wait and of which it is not known yet when they completed. */
  readonly oldestAnnounced: Date | null;
};

/** Envelopes may appear in DocuSign's listings so much after their completion. */
export const LISTING_DELAY_MS = 24 * 60 * 60 * 1000;

/**
 * The moments up to which an ending link accounted for every envelope (import-rules 2.3), where the next one
 * goes on. Waiting envelopes pull them back, and what listings may have shown only after a link had stopped looking:
 * rule 2.2 makes the wider window safe. Never before the link's own starts.
 */
export function endOf(ending: Ending): Pick<EndedLink, "sentUntil" | "receivedUntil"> {
  return {
    sentUntil: endOfSide(ending, ending.sentFrom, ending.reachedSent),
    receivedUntil: endOfSide(ending, ending.receivedFrom, ending.reachedReceived),
  };
}

function endOfSide(
  { endedAt, oldestWaiting, oldestAnnounced }: Ending,
  start: Date | null,
  reached: Date | null,
): Date | null {
  if (reached === null) return start;
  const ends = [
    reached < endedAt ? dayBefore(reached) : endedAt,
    oldestWaiting,
    // What completed longer ago is in the listings, and so its completion is known.
    oldestAnnounced === null ? null : dayBefore(oldestAnnounced),
  ];
  const end = Math.min(...ends.filter((one) => one !== null).map((one) => one.getTime()));
  return new Date(Math.max(end, start?.getTime() ?? Number.NEGATIVE_INFINITY));
}

function dayBefore(moment: Date): Date {
  return new Date(moment.getTime() - LISTING_DELAY_MS);
}
