import { DocuSignFault } from "../../docusign/faults/faults.ts";
import type { CallLimits } from "../../docusign/faults/limits.ts";
import { unlessFarOff } from "../../docusign/faults/throttling.ts";
import type { AccountId } from "../../domain/identifiers.ts";
import { type CallBudget, mayCall, type Pace } from "../../domain/pace.ts";
import { nextFullHour } from "../../domain/schedule.ts";
import {
  type AccountBudget,
  findBudget,
  findBudgets,
  noteLimits,
  pauseAccount,
  type ReportedLimits,
} from "../../store/budgets.ts";
import type { CallBudgets, CallKind, Uses } from "../capabilities.ts";

/** Other processes may see used calls this much later. They learn immediately that the reserve is reached. */
const SHARE_EVERY_MS = 2_000;

/** The part of the reserve that calls of a kind never use. Look-ups may use the upper half. */
const LEFT_TO_OTHERS: Readonly<Record<CallKind, number>> = {
  "first-import": 1,
  "look-up": 0.5,
  "dry-run": 0,
  other: 0,
  person: 0,
};

/**
 * Tracks the hourly calls of each account from DocuSign's headers, and shares them through the database (design
 * decision 8).
 */
export function createCallBudgets(deps: Uses<"db" | "log" | "now" | "reserveShare">): CallBudgets {
  const { db, now, reserveShare } = deps;
  const seen = new Map<AccountId, CallBudget>();
  const underWay = new Map<AccountId, number>();
  const paceOf = (accountId: AccountId, kind: CallKind): Pace => {
    const budget = seen.get(accountId);
    if (budget === undefined || kind === "person") return { kind: "go" };
    const left = less(budget, underWay.get(accountId) ?? 0);
    return mayCall(left, reserveShare * LEFT_TO_OTHERS[kind], now());
  };
  const paceBy = (accountId: AccountId, kind: CallKind, shared: AccountBudget | null): Pace => {
    const until = shared?.pausedUntil ?? null;
    if (until !== null && until > now()) return { kind: "wait", until };
    if (shared?.remaining != null) seen.set(accountId, latest(seen.get(accountId), shared));
    return paceOf(accountId, kind);
  };
  const share = createSharing(deps);
  return {
    begin(accountId, kind) {
      const pace = paceOf(accountId, kind);
      if (pace.kind === "wait") throw spent(kind, pace.until);
      underWay.set(accountId, (underWay.get(accountId) ?? 0) + 1);
    },
    note(accountId, reported) {
      underWay.set(accountId, Math.max(0, (underWay.get(accountId) ?? 0) - 1));
      if (reported.remaining === null) return;
      const limits = { ...reported, resetsAt: endOfHour(reported, now()), observedAt: now() };
      seen.set(accountId, latest(seen.get(accountId), limits));
      const paces = `${paceOf(accountId, "first-import").kind} ${paceOf(accountId, "other").kind}`;
      share(accountId, limits, paces);
    },
    pause: async (accountId, until) => await pauseAccount(db, accountId, until, now()),
    paceBy,
    pace: async (accountId, kind) => paceBy(accountId, kind, await findBudget(db, accountId)),
    async paces(accountIds, kind) {
      const shared = await findBudgets(db, accountIds);
      return new Map(accountIds.map((id) => [id, paceBy(id, kind, shared.get(id) ?? null)]));
    },
  };
}

function spent(kind: CallKind, retryAt: Date): DocuSignFault {
  if (LEFT_TO_OTHERS[kind] > 0)
    return new DocuSignFault("throttled", "budget-reserve", { retryAt, limit: "reserve-reached" });
  return new DocuSignFault("throttled", "hourly-calls-spent", { retryAt });
}

type Share = (accountId: AccountId, limits: ReportedLimits, paces: string) => void;

/**
 * Stores the limits that other processes must see now, one statement after another. Further limits wait for the next
 * statement.
 */
function createSharing({ db, log }: Uses<"db" | "log">): Share {
  const lastShared = new Map<AccountId, Shared>();
  const waiting = new Map<AccountId, ReportedLimits>();
  let isBusy = false;
  const store = async (): Promise<void> => {
    isBusy = true;
    while (waiting.size > 0) {
      const reported = [...waiting].map(([accountId, limits]) => ({ accountId, ...limits }));
      waiting.clear();
      await noteLimits(db, reported).catch((error: unknown) =>
        log.warn(
          { err: error, accountIds: reported.map(({ accountId }) => accountId) },
          "call budget could not be shared",
        ),
      );
    }
    isBusy = false;
  };
  return (accountId, limits, paces) => {
    const key = `${limits.limit} ${limits.resetsAt?.getTime()} ${paces}`;
    if (!mustShare(lastShared, accountId, { key, at: limits.observedAt.getTime() })) return;
    waiting.set(accountId, limits);
    if (!isBusy) void store();
  };
}

type Shared = { readonly key: string; readonly at: number };

/** Decides if other processes must see these limits now, and remembers that they were shared. */
function mustShare(lastShared: Map<AccountId, Shared>, accountId: AccountId, { key, at }: Shared): boolean {
  const last = lastShared.get(accountId);
  if (last?.key === key && at - last.at < SHARE_EVERY_MS) return false;
  lastShared.set(accountId, { key, at });
  return true;
}

/** DocuSign counts calls by the full hour. If it sends no plausible reset time, the current hour's end applies. */
function endOfHour({ resetsAt }: CallLimits, now: Date): Date {
  return unlessFarOff(resetsAt, now) ?? nextFullHour(now);
}

/**
 * Returns the later hour's budget. Within one hour, returns the lower number, because answers may arrive out of order.
 */
function latest(one: CallBudget | undefined, other: CallBudget): CallBudget {
  if (one === undefined) return other;
  const [hour, otherHour] = [hourOf(one), hourOf(other)];
  if (hour !== otherHour) return hour > otherHour ? one : other;
  return Number(one.remaining) < Number(other.remaining) ? one : other;
}

function hourOf({ resetsAt }: CallBudget): number {
  return resetsAt?.getTime() ?? 0;
}

function less(budget: CallBudget, calls: number): CallBudget {
  return { ...budget, remaining: budget.remaining === null ? null : budget.remaining - calls };
}
