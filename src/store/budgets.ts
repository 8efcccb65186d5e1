import { type Kysely, sql } from "kysely";
import type { AccountId } from "../domain/identifiers.ts";
import type { DB } from "./schema.ts";

/** An account's calls of this hour as DocuSign's headers last reported them, shared by all processes. */
export type AccountBudget = {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetsAt: Date | null;
  /** DocuSign rejected calls: no process calls before this time. */
  readonly pausedUntil: Date | null;
  /** When this was last recorded. */
  readonly observedAt: Date;
};

/** Returns the account's budget; null if it is unknown. */
export async function findBudget(db: Kysely<DB>, accountId: AccountId): Promise<AccountBudget | null> {
  const row = await db
    .selectFrom("account_budget")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    limit: row.hourly_limit,
    remaining: row.remaining,
    resetsAt: row.resets_at,
    pausedUntil: row.paused_until,
    observedAt: row.observed_at,
  };
}

/** Stores what an answer's headers reported. */
export async function noteLimits(
  db: Kysely<DB>,
  accountId: AccountId,
  limits: { limit: number | null; remaining: number | null; resetsAt: Date | null },
  now: Date,
): Promise<void> {
  const columns = {
    hourly_limit: limits.limit,
    remaining: limits.remaining,
    resets_at: limits.resetsAt,
    observed_at: now,
  };
  await db
    .insertInto("account_budget")
    .values({ account_id: accountId, ...columns })
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet(columns))
    .execute();
}

/** Pauses calls for the account until the given time, or a later one that is already set. */
export async function pauseAccount(
  db: Kysely<DB>,
  accountId: AccountId,
  until: Date,
  now: Date,
): Promise<void> {
  await db
    .insertInto("account_budget")
    .values({ account_id: accountId, paused_until: until, observed_at: now })
    .onConflict((conflict) =>
      conflict.column("account_id").doUpdateSet({
        paused_until: sql<Date>`greatest(account_budget.paused_until, excluded.paused_until)`,
        observed_at: now,
      }),
    )
    .execute();
}
