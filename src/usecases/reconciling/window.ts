import { ALL_HISTORY, LISTING_DELAY_MS } from "../../domain/window.ts";
import type { Link } from "../../store/links/links.ts";

/** A proof older than this would make every hour list too many envelopes again. */
const LONGEST_PROOF_MS = 90 * 24 * 60 * 60 * 1000;

/**
 * Where the link's next window begins: far enough back to show a colleague's envelope again, since seeing it proves
 * that the whole account is still visible.
 */
export function windowStart(link: Pick<Link, "sentReached" | "receivedReached" | "colleagueSentAt">): Date {
  const from = overlapStart(link);
  const proof = link.colleagueSentAt;
  return proof === null || proof > from || proof.getTime() < from.getTime() - LONGEST_PROOF_MS ? from : proof;
}

/** A day before the moment up to which the link has accounted for everything: windows overlap (design decision 3). */
export function overlapStart({
  sentReached,
  receivedReached,
}: Pick<Link, "sentReached" | "receivedReached">): Date {
  const [sent, received] = [dayBefore(sentReached), dayBefore(receivedReached)];
  return sent < received ? sent : received;
}

/**
 * Whether a window leaves no gap behind what was accounted for up to `reached`, the usual overlap included: only
 * then does everything before the window's end count as accounted for (design decision 5).
 */
export function leavesNoGap(from: Date, reached: Date | null): boolean {
  return from <= dayBefore(reached);
}

function dayBefore(reached: Date | null): Date {
  return new Date(Math.max((reached?.getTime() ?? 0) - LISTING_DELAY_MS, ALL_HISTORY.getTime()));
}
