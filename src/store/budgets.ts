import { type Kysely, type Selectable, sql } from "kysely";
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
  return row === undefined ? null : toBudget(row);
}

/** Returns the budgets of many accounts. Accounts whose budget is unknown are absent. */
export async function findBudgets(
  db: Kysely<DB>,
  accountIds: readonly AccountId[],
): Promise<ReadonlyMap<string, AccountBudget>> {
  const rows = await db
    .selectFrom("account_budget")
    .selectAll()
    .where("account_id", "=", sql<string>`any(${accountIds}::uuid[])`)
    .execute();
  return new Map(rows.map((row) => [row.account_id, toBudget(row)]));
}

function toBudget(row: Selectable<DB["account_budget"]>): AccountBudget {
  return {
    limit: row.hourly_limit,
    remaining: row.remaining,
    resetsAt: row.resets_at,
    pausedUntil: row.paused_until,
    observedAt: row.observed_at,
  };
}

/** The calls of an account as the headers of an answer reported them. */
export type ReportedLimits = Pick<AccountBudget, "limit" | "remaining" | "resetsAt" | "observedAt">;

/** Stores what answers reported, by one statement for all accounts. */
export async function noteLimits(
  db: Kysely<DB>,
  reported: readonly (ReportedLimits & { readonly accountId: AccountId })[],
): Promise<void> {
  await sql`
    insert into account_budget (account_id, hourly_limit, remaining, resets_at, observed_at)
    select * from unnest(
      ${reported.map((one) => one.accountId)}::uuid[], ${reported.map((one) => one.limit)}::int[],
      ${reported.map((one) => one.remaining)}::int[], ${reported.map((one) => one.resetsAt)}::timestamptz[],
      ${reported.map((one) => one.observedAt)}::timestamptz[]
    ) as reported (account_id, hourly_limit, remaining, resets_at, observed_at)
    order by account_id
    on conflict (account_id) do update set
      hourly_limit = excluded.hourly_limit, remaining = excluded.remaining, resets_at = excluded.resets_at,
      observed_at = excluded.observed_at`.execute(db);
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
