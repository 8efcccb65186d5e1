import { nextFullHour } from "./schedule.ts";

/** The account's hourly calls as DocuSign last reported them; null if it did not. */
export type CallBudget = {
  readonly remaining: number | null;
  readonly limit: number | null;
  readonly resetsAt: Date | null;
};

export type Pace = { readonly kind: "go" } | { readonly kind: "wait"; readonly until: Date };

/**
 * Decides whether DocuSign may be called now while `reserveShare` (0 to 1) of the hour's calls stays free for the
 * customer's other integrations. Numbers from before the reset, and those of an account whose limit is 0, are ignored.
 */
export function mayCall(budget: CallBudget, reserveShare: number, now: Date): Pace {
  const { remaining, limit, resetsAt } = budget;
  if (remaining === null || limit === 0) return { kind: "go" };
  if (resetsAt !== null && resetsAt.getTime() <= now.getTime()) return { kind: "go" };
  if (remaining > reservedCalls(limit ?? 0, reserveShare)) return { kind: "go" };
  // If DocuSign did not report the reset, it is the next full hour.
  return { kind: "wait", until: resetsAt ?? nextFullHour(now) };
}

export type ImportSize = {
  readonly envelopes: number;
  readonly callsPerEnvelope: number;
  /** Null if unknown; then only `callsPerSecond` counts. */
  readonly hourlyLimit: number | null;
  readonly reserveShare: number;
  readonly callsPerSecond: number;
};

const HOUR_MS = 60 * 60 * 1000;

/** Predicts how long a first import takes, in milliseconds, if no call of the hour is spent yet. */
export function expectedDuration(size: ImportSize): number {
  const calls = Math.ceil(size.envelopes * size.callsPerEnvelope);
  if (calls <= 0) return 0;
  const perHour = callsPerHour(size);
  const fullHours = Math.ceil(calls / perHour) - 1;
  const lastCalls = calls - fullHours * perHour;
  return Math.ceil(fullHours * HOUR_MS + (lastCalls / size.callsPerSecond) * 1000);
}

function callsPerHour({ hourlyLimit, reserveShare, callsPerSecond }: ImportSize): number {
  const speed = callsPerSecond * 3600;
  if (hourlyLimit === null) return speed;
  // At least one: after each reset `mayCall` permits one call to learn the new numbers.
  return Math.min(speed, Math.max(1, hourlyLimit - reservedCalls(hourlyLimit, reserveShare)));
}

function reservedCalls(limit: number, share: number): number {
  // Without the small term, 0.07 of 100 would reserve 8, since floating point yields 7.000000000000001.
  return Math.ceil(limit * share - 1e-9);
}
