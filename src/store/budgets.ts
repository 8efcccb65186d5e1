import { type Kysely, sql } from "kysely";
import type { AccountId } from "../domain/identifiers.ts";
import type { DB } from "./schema.ts";

/** What DocuSign's headers last said of an account's calls of this hour, shared by all processes. */
export type AccountBudget = {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetsAt: Date | null;
  /** DocuSign refused calls: none are made until then. */
  readonly pausedUntil: Date | null;
};

/** The account's budget; null where nothing is known of it. */
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
  };
}

/** Notes what an answer's headers said. */
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

/** Makes no calls for the account until the moment, or until a later one that was set before. */
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
