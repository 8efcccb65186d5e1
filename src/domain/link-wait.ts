import type { Reasons } from "./finding.ts";
import type { Pace } from "./pace.ts";

/** The reason for a wait and its end; null if the end is unknown. */
export type WaitingCause = {
  readonly reason: Reasons["waiting"];
  readonly until: Date | null;
  /** The document store's own error code. */
  readonly code?: string;
};

/** The state of a link that decides whether it imports. */
export type LinkStanding = {
  readonly state: "active" | "paused" | "awaiting-approval" | "error" | "ended";
  readonly cause: "authorization-revoked" | "not-admin" | "group-missing" | null;
};

/**
 * Returns why the link imports nothing, or null if it imports. A link can be in error and await approval at the same
 * time. The error comes first, since approval alone would start nothing.
 */
export function whyLinkWaits(link: LinkStanding | null): Reasons["waiting"] | null {
  if (link === null) return "link-ended";
  switch (link.state) {
    case "active":
      return null;
    case "paused":
      return "paused";
    case "awaiting-approval":
      return "awaiting-approval";
    case "error":
      return link.cause === "group-missing" ? "group-missing" : "link-error";
    case "ended":
      return "link-ended";
  }
}

/** The reason why calls to DocuSign wait, and its end. */
export type CallsWait = { readonly reason: "account-throttled" | "budget-reserve"; readonly until: Date };

/** Returns why calls wait, or null if they may be made. `reserving` is the pace of calls that leave a reserve, null for others. */
export function whyCallsWait(pace: {
  readonly any: Pace;
  readonly reserving: Pace | null;
}): CallsWait | null {
  if (pace.any.kind === "wait") return { reason: "account-throttled", until: pace.any.until };
  if (pace.reserving?.kind !== "wait") return null;
  return { reason: "budget-reserve", until: pace.reserving.until };
}
