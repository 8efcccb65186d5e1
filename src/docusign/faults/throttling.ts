import { readEpochSeconds } from "./limits.ts";

const HOUR_MS = 3_600_000;
/** The burst limit counts 30 seconds. */
const BURST_MS = 30_000;
const SOONEST_MS = 500;
/** DocuSign's longest limit is hourly: a time further away than this is an error and is ignored. */
const LONGEST_WAIT_MS = 24 * HOUR_MS;
/** Polling and downloads are limited per 15 minutes. */
const SAME_RESOURCE_MS = 15 * 60_000;

const OF_THE_HOUR = /^hourly_apiinvocation_limit_exceeded$/i;
const OF_THE_BURST = /^burst_apiinvocation_limit_exceeded$/i;
const OF_ONE_RESOURCE =
  /^((hourly|burst)_(envelope_polling|apiinvocation_envelope)_limit_exceeded|api_request_is_throttled)$/i;

/** True if DocuSign asks to wait: by code, since the status is 400 or 429, or by a plain 429. */
export function isThrottling(status: number, code: string | null): boolean {
  if (status === 429) return true;
  return code !== null && [OF_THE_HOUR, OF_THE_BURST, OF_ONE_RESOURCE].some((pattern) => pattern.test(code));
}

/** Returns whether the limit is for the account or for one envelope or document. */
export function limitOf(code: string | null): "account-limit" | "resource-limit" {
  return code !== null && /envelope|request_is_throttled/i.test(code) ? "resource-limit" : "account-limit";
}

/**
 * Returns when DocuSign accepts calls again. The hourly budget is reset at `X-RateLimit-Reset`, to the second; other
 * limits report `Retry-After` or end after their own period. A time in the past, possible if clocks differ, would cause
 * endless calls: the burst period is used instead. A time that is about to come is waited for, at least half a second.
 * A time more than a day away is ignored.
 */
export function readRetryMoment(code: string | null, headers: Headers, now: Date): Date {
  const moment = readMoment(code, headers, now);
  const waitMs = moment.getTime() - now.getTime();
  return new Date(now.getTime() + (waitMs > 0 ? Math.max(waitMs, SOONEST_MS) : BURST_MS));
}

function readMoment(code: string | null, headers: Headers, now: Date): Date {
  const retryAfter = unlessFarOff(readRetryAfter(headers, now), now);
  if (isHoursBudgetSpent(code, headers)) {
    const reset = unlessFarOff(readEpochSeconds(headers.get("x-ratelimit-reset")), now);
    return reset ?? retryAfter ?? nextHour(now);
  }
  const waitMs = code !== null && OF_ONE_RESOURCE.test(code) ? SAME_RESOURCE_MS : BURST_MS;
  return retryAfter ?? new Date(now.getTime() + waitMs);
}

/** Returns the time if it is plausible. */
export function unlessFarOff(moment: Date | null, now: Date): Date | null {
  return moment !== null && moment.getTime() - now.getTime() <= LONGEST_WAIT_MS ? moment : null;
}

function isHoursBudgetSpent(code: string | null, headers: Headers): boolean {
  if (code !== null && OF_THE_HOUR.test(code)) return true;
  const isUnnamed = code === null || !(OF_THE_BURST.test(code) || OF_ONE_RESOURCE.test(code));
  if (!isUnnamed) return false;
  const remaining = headers.get("x-ratelimit-remaining");
  const saysOnlyReset = remaining === null && headers.has("x-ratelimit-reset") && !headers.has("retry-after");
  return remaining === "0" || saysOnlyReset;
}

function readRetryAfter(headers: Headers, now: Date): Date | null {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,7}$/.test(value)) return new Date(now.getTime() + Number(value) * 1_000);
  // Only the form of RFC 9110: the engine would parse almost any text as a date.
  const date = /^[A-Z][a-z]{2}, /.test(value) ? new Date(value) : null;
  return date === null || Number.isNaN(date.getTime()) ? null : date;
}

function nextHour(now: Date): Date {
  return new Date((Math.floor(now.getTime() / HOUR_MS) + 1) * HOUR_MS);
}
