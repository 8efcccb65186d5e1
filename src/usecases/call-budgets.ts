import type { Logger } from "pino";
import type { CallLimits } from "../docusign/limits.ts";
import type { AccountId } from "../domain/identifiers.ts";
import { mayCall, type Pace } from "../domain/pace.ts";
import { findBudget, noteLimits, pauseAccount } from "../store/budgets.ts";
import type { Database } from "../store/database.ts";

export type CallBudgets = {
  /** Takes note of what an answer's headers said. */
  note(accountId: AccountId, limits: CallLimits): void;
  /** Makes no calls for the account until the moment, in no process. */
  pause(accountId: AccountId, until: Date): Promise<void>;
  /** Whether calls may be made now; a first import leaves the reserve to the customer's other integrations. */
  pace(accountId: AccountId, kind: "first-import" | "other"): Promise<Pace>;
  /** What is left of the hour's calls, by account, as far as this process has seen. */
  remaining(): ReadonlyMap<AccountId, number>;
};

type BudgetDeps = { db: Database; log: Logger; now: () => Date; reserveShare: number };

/** Other processes may learn of spent calls this much later. */
const SHARE_EVERY_MS = 2_000;

/** The hour's calls of each account, read from DocuSign's headers and shared through the database (design decision 7). */
export function createCallBudgets(deps: BudgetDeps): CallBudgets {
  const seen = new Map<AccountId, CallLimits>();
  const sharedAt = new Map<AccountId, number>();
  return {
    note(accountId, limits) {
      if (limits.remaining === null) return;
      seen.set(accountId, limits);
      const now = deps.now();
      if (now.getTime() - (sharedAt.get(accountId) ?? 0) < SHARE_EVERY_MS) return;
      sharedAt.set(accountId, now.getTime());
      noteLimits(deps.db, accountId, limits, now).catch((error: unknown) =>
        deps.log.warn({ err: error, accountId }, "call budget could not be shared"),
      );
    },
    async pause(accountId, until) {
      await pauseAccount(deps.db, accountId, until, deps.now());
    },
    async pace(accountId, kind) {
      const now = deps.now();
      const shared = await findBudget(deps.db, accountId);
      if (shared?.pausedUntil != null && shared.pausedUntil > now)
        return { kind: "wait", until: shared.pausedUntil };
      if (kind === "other") return { kind: "go" };
      const budget = seen.get(accountId) ?? shared;
      return budget == null ? { kind: "go" } : mayCall(budget, deps.reserveShare, now);
    },
    remaining: () => new Map([...seen].map(([id, limits]) => [id, limits.remaining ?? 0])),
  };
}
