import type { Reasons } from "./finding.ts";
import type { Pace } from "./pace.ts";

/** Why something waits, and until when; null if no moment is known. */
export type WaitingCause = { readonly reason: Reasons["waiting"]; readonly until: Date | null };

/** What of a link decides whether it imports. */
export type LinkStanding = {
  readonly state: "active" | "awaiting-approval" | "error" | "ended";
  readonly cause: "authorization-revoked" | "not-admin" | "group-missing" | null;
};

/**
 * Why a link imports nothing, whatever its envelopes wait for; null if it imports. A link can be in error and await its
 * approval: the error comes first, as an approval alone would let nothing begin.
 */
export function whyLinkWaits(link: LinkStanding | null): Reasons["waiting"] | null {
  if (link === null) return "link-ended";
  switch (link.state) {
    case "active":
      return null;
    case "awaiting-approval":
      return "awaiting-approval";
    case "error":
      return link.cause === "group-missing" ? "group-missing" : "link-error";
    case "ended":
      return "link-ended";
  }
}

/** Why calls to DocuSign wait, and until when. */
export type CallsWait = { readonly reason: "account-throttled" | "budget-reserve"; readonly until: Date };

/** What keeps calls waiting; null if they may be made. `firstImport` is the pace of a first import's, null for others. */
export function whyCallsWait(pace: {
  readonly any: Pace;
  readonly firstImport: Pace | null;
}): CallsWait | null {
  if (pace.any.kind === "wait") return { reason: "account-throttled", until: pace.any.until };
  if (pace.firstImport?.kind !== "wait") return null;
  return { reason: "budget-reserve", until: pace.firstImport.until };
}
