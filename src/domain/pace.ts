import { nextFullHour } from "./schedule.ts";

/** What DocuSign last said of the account's hourly calls; null where it said nothing. */
export type CallBudget = {
  readonly remaining: number | null;
  readonly limit: number | null;
  readonly resetsAt: Date | null;
};

export type Pace = { readonly kind: "go" } | { readonly kind: "wait"; readonly until: Date };

/**
 * Whether DocuSign may be called now, leaving `reserveShare` (0 to 1) of the hour's calls to the customer's other
 * integrations. Numbers from before the reset say nothing any more, nor do those of an account whose limit is 0.
 */
export function mayCall(budget: CallBudget, reserveShare: number, now: Date): Pace {
  const { remaining, limit, resetsAt } = budget;
  if (remaining === null || limit === 0) return { kind: "go" };
  if (resetsAt !== null && resetsAt.getTime() <= now.getTime()) return { kind: "go" };
  if (remaining > reservedCalls(limit ?? 0, reserveShare)) return { kind: "go" };
  // DocuSign's hours are full hours, should it not have said.
  return { kind: "wait", until: resetsAt ?? nextFullHour(now) };
}

export type ImportSize = {
  readonly envelopes: number;
  readonly callsPerEnvelope: number;
  /** Null where it is not known: then only `callsPerSecond` counts. */
  readonly hourlyLimit: number | null;
  readonly reserveShare: number;
  readonly callsPerSecond: number;
};

const HOUR_MS = 60 * 60 * 1000;

/** How long a first import will take, in milliseconds, that begins with an hour's calls unspent. */
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
  // At least one: after each reset `mayCall` lets a call through to learn the new numbers.
  return Math.min(speed, Math.max(1, hourlyLimit - reservedCalls(hourlyLimit, reserveShare)));
}

function reservedCalls(limit: number, share: number): number {
  // Without the small term 0.07 of 100 would reserve 8: floating point gives 7.000000000000001.
  return Math.ceil(limit * share - 1e-9);
}
