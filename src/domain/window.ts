import type { AccountId, UserId } from "./identifiers.ts";

/** DocuSign was founded in 2003: no envelope is older. */
export const ALL_HISTORY = new Date("2003-01-01T00:00:00Z");

/**
 * An ended link of the tenant. `…Until` is end(l) of import-rules 2.3; null if the link began with all history and
 * accounted for nothing.
 */
export type EndedLink = {
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly endedAt: Date;
  readonly sentUntil: Date | null;
  readonly receivedUntil: Date | null;
};

/** The starts of a link's windows; null means all history. */
export type Starts = { readonly sentFrom: Date | null; readonly receivedFrom: Date | null };

/**
 * Returns the starts of a new link from all ended links of its tenant, in order of creation (import-rules 2). The sent
 * side continues where the account was left, the received side where the user was left.
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

/** Raises starts to a later moment, such as that of the owner's start date; null changes nothing. */
export function raiseStarts({ sentFrom, receivedFrom }: Starts, to: Date | null): Starts {
  return { sentFrom: later(sentFrom, to), receivedFrom: later(receivedFrom, to) };
}

function later(one: Date | null, other: Date | null): Date | null {
  return other !== null && (one === null || other > one) ? other : one;
}

/** Returns true if both mean the same windows. */
export function areSameStarts(one: Starts, other: Starts): boolean {
  return (
    one.sentFrom?.getTime() === other.sentFrom?.getTime() &&
    one.receivedFrom?.getTime() === other.receivedFrom?.getTime()
  );
}

function findLastEnded(links: readonly EndedLink[]): EndedLink | undefined {
  // The sort is stable: of two links that ended at the same time, the later one wins.
  return links.toSorted((one, other) => one.endedAt.getTime() - other.endedAt.getTime()).at(-1);
}

export type Ending = {
  readonly endedAt: Date;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
  /** Everything that the account sent and that completed before this time is accounted for; null means nothing yet. */
  readonly reachedSent: Date | null;
  /** The same for what the user received. */
  readonly reachedReceived: Date | null;
  /** The completion of the oldest waiting envelope. */
  readonly oldestWaiting: Date | null;
  /** The first announcement among the waiting envelopes whose completion is unknown. */
  readonly oldestAnnounced: Date | null;
};

/** How late after its completion an envelope may appear in DocuSign's listings. */
export const LISTING_DELAY_MS = 24 * 60 * 60 * 1000;

/**
 * Returns the times up to which an ending link accounted for every envelope (import-rules 2.3); the next link continues
 * there. Waiting envelopes move these times back, as does the possible delay of listings after the link stopped
 * listing. Rule 2.2 makes the wider window safe. The times are never before the link's own starts.
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
    // Older completions are in the listings, so they are known.
    oldestAnnounced === null ? null : dayBefore(oldestAnnounced),
  ];
  const end = Math.min(...ends.filter((one) => one !== null).map((one) => one.getTime()));
  return new Date(Math.max(end, start?.getTime() ?? Number.NEGATIVE_INFINITY));
}

function dayBefore(moment: Date): Date {
  return new Date(moment.getTime() - LISTING_DELAY_MS);
}
