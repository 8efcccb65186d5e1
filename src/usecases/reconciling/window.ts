import { ALL_HISTORY, LISTING_DELAY_MS } from "../../domain/window.ts";
import type { Link } from "../../store/links/links.ts";

/** With a proof older than this, each hourly run would list too many envelopes again. */
const LONGEST_PROOF_MS = 90 * 24 * 60 * 60 * 1000;

/**
 * Returns the start of the link's next window. It lies far enough back to list the latest envelope of a colleague
 * again, which proves that the whole account is still visible.
 */
export function windowStart(link: Pick<Link, "sentReached" | "receivedReached" | "colleagueSentAt">): Date {
  const from = overlapStart(link);
  const proof = link.colleagueSentAt;
  return proof === null || proof > from || proof.getTime() < from.getTime() - LONGEST_PROOF_MS ? from : proof;
}

/** Returns a day before the time up to which everything is accounted for: windows overlap (design decision 3). */
export function overlapStart({
  sentReached,
  receivedReached,
}: Pick<Link, "sentReached" | "receivedReached">): Date {
  const [sent, received] = [dayBefore(sentReached), dayBefore(receivedReached)];
  return sent < received ? sent : received;
}

/**
 * Returns true if a window leaves no gap after `reached`, including the usual overlap. Only then does everything
 * before the window's end count as accounted for (design decision 5).
 */
export function leavesNoGap(from: Date, reached: Date | null): boolean {
  return from <= dayBefore(reached);
}

function dayBefore(reached: Date | null): Date {
  return new Date(Math.max((reached?.getTime() ?? 0) - LISTING_DELAY_MS, ALL_HISTORY.getTime()));
}
