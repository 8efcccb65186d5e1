/** The account's call budget as an answer reported it; null if it did not, or if no answer came. */
export type CallLimits = {
  /** Calls per hour, shared by all of the account's integrations. */
  readonly limit: number | null;
  readonly remaining: number | null;
  /** When the hour's budget is reset. */
  readonly resetsAt: Date | null;
  /** Calls per 30 seconds. */
  readonly burstLimit: number | null;
  readonly burstRemaining: number | null;
};

/** Reads DocuSign's rate-limit headers. */
export function readCallLimits(headers: Headers): CallLimits {
  return {
    limit: readCount(headers.get("x-ratelimit-limit")),
    remaining: readCount(headers.get("x-ratelimit-remaining")),
    resetsAt: readEpochSeconds(headers.get("x-ratelimit-reset")),
    burstLimit: readCount(headers.get("x-burstlimit-limit")),
    burstRemaining: readCount(headers.get("x-burstlimit-remaining")),
  };
}

/** Parses seconds since 1970. Returns null if the text is not a time. */
export function readEpochSeconds(text: string | null): Date | null {
  const seconds = readCount(text);
  return seconds === null || seconds === 0 ? null : new Date(seconds * 1_000);
}

function readCount(text: string | null): number | null {
  return text !== null && /^\d{1,11}$/.test(text.trim()) ? Number(text) : null;
}
