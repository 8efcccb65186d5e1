import { isShown, judge, type PlayedEnvelope, type PlayedLink } from "./model.ts";

/**
 * import-rules 2 and 2.3 once more. Up to when a link that ended accounted for everything is known exactly only where
 * nothing was wrong with it. Otherwise it lies between the last hour that is known to have accounted for everything
 * and the oldest envelope that it should have imported but had not: a later end would lose that one.
 */
export type Bounds = { readonly earliest: Date | null; readonly latest: Date | null };

export type Ending = { readonly link: PlayedLink; readonly sent: Bounds; readonly received: Bounds };

export type EndedHow = {
  readonly link: PlayedLink;
  readonly endedAt: Date;
  readonly envelopes: readonly PlayedEnvelope[];
  readonly isImported: (envelope: PlayedEnvelope) => boolean;
  /** The last hour after which everything was there; null before the first of them. */
  readonly sureUntil: Date | null;
  /** Nothing was wrong since: neither with the link, nor with DocuSign, nor with a worker. */
  readonly isWell: boolean;
};

/** Between which moments the end of the link lies, for what it sent and for what it received. */
export function boundsOfEnd(how: EndedHow): Ending {
  const { link } = how;
  const latest = latestEnd(how);
  const earliest = earliestEnd(how);
  const bounds = (from: Date | null): Bounds => ({
    earliest: earliest === null ? from : later(earliest, from),
    latest: later(latest, from),
  });
  return { link, sent: bounds(link.sentFrom), received: bounds(link.receivedFrom) };
}

/** The required start of a new link (import-rules 2); null is all history. `endings` in the order in which they were linked. */
export function boundsOfStarts(
  endings: readonly Ending[],
  next: { readonly account: string; readonly userId: string },
): { readonly sent: Bounds; readonly received: Bounds } {
  const previous = lastOf(endings);
  const own = lastOf(
    endings.filter(({ link }) => link.user.userId === next.userId && link.account === next.account),
  );
  const sender = previous?.link.account === next.account ? previous : own;
  return { sent: sender?.sent ?? ALL_HISTORY, received: own?.received ?? ALL_HISTORY };
}

/** The bounds of a start that a start date raises. */
export function raised({ earliest, latest }: Bounds, from: string | null): Bounds {
  if (from === null) return { earliest, latest };
  const start = new Date(`${from}T00:00:00+09:00`);
  return { earliest: later(start, earliest), latest: later(start, latest) };
}

export function isWithin(start: Date | null, { earliest, latest }: Bounds): boolean {
  const moment = start?.getTime() ?? Number.NEGATIVE_INFINITY;
  return (
    moment >= (earliest?.getTime() ?? Number.NEGATIVE_INFINITY) &&
    moment <= (latest?.getTime() ?? Number.NEGATIVE_INFINITY)
  );
}

const ALL_HISTORY: Bounds = { earliest: null, latest: null };

function latestEnd({ link, endedAt, envelopes, isImported }: EndedHow): Date {
  const owed = envelopes.filter(
    (envelope) =>
      judge(envelope, link).wanted === "yes" && envelope.listedFrom <= endedAt && !isImported(envelope),
  );
  return earliestCompletion(owed, endedAt);
}

/** Listings may show an envelope a day after its completion. */
const LISTED_WITHIN_MS = 24 * 60 * 60 * 1000;

/** Envelopes that became visible since the last certain hour may have been waiting. */
function earliestEnd({ link, endedAt, envelopes, isImported, sureUntil, isWell }: EndedHow): Date | null {
  if (sureUntil === null) return null;
  const news = envelopes.filter(
    (envelope) =>
      isShown(envelope, link) &&
      !isImported(envelope) &&
      ((envelope.completedAt ?? sureUntil) >= sureUntil || envelope.listedFrom >= sureUntil),
  );
  return earliestCompletion(news, isWell ? endedAt : new Date(sureUntil.getTime() - LISTED_WITHIN_MS));
}

function earliestCompletion(envelopes: readonly PlayedEnvelope[], otherwise: Date): Date {
  const moments = envelopes.flatMap(({ completedAt }) =>
    completedAt === null ? [] : [completedAt.getTime()],
  );
  return new Date(Math.min(otherwise.getTime(), ...moments));
}

function later(one: Date, other: Date | null): Date {
  return other !== null && other > one ? other : one;
}

function lastOf(endings: readonly Ending[]): Ending | undefined {
  return endings.reduce<Ending | undefined>(
    (last, one) => (last !== undefined && +last.link.endedAt! > +one.link.endedAt! ? last : one),
    undefined,
  );
}
