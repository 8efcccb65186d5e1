import { sql } from "kysely";
import type pg from "pg";
import type { OpenDatabase } from "../../src/store/database.ts";

/** A statement that programs sent, by its text without values. */
export type Statement = {
  readonly text: string;
  readonly calls: number;
  readonly planMs: number;
  readonly executeMs: number;
};

/**
 * Returns the statements that others send to the database during the work, with the frequent ones first. Transactions'
 * `begin` and `commit` count as statements.
 */
export async function countStatements(
  { db, pool }: OpenDatabase,
  work: () => Promise<unknown>,
): Promise<Statement[]> {
  await sql`create extension if not exists pg_stat_statements`.execute(db);
  await sql`select pg_stat_statements_reset()`.execute(db);
  await trackStatements(pool, "top");
  try {
    await work();
  } finally {
    await trackStatements(pool, "none");
  }
  const { rows } = await sql<{ query: string; calls: string; plan: number; execute: number }>`
    select query, sum(calls) as calls, sum(total_plan_time) as plan, sum(total_exec_time) as execute
    from pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
    group by query order by sum(calls) desc, query`.execute(db);
  return rows.map(({ query, calls, plan, execute }) => ({
    text: query.replaceAll(/\s+/g, " ").trim(),
    calls: Number(calls),
    planMs: plan,
    executeMs: execute,
  }));
}

/** The address for the bench's own connections, whose statements do not count. */
export function uncounted(connectionString: string): string {
  const url = new URL(connectionString);
  url.searchParams.set("options", "-c pg_stat_statements.track=none");
  return url.href;
}

/** Sets for the whole server if statements are counted, which costs a little. */
export async function trackStatements(pool: pg.Pool, what: "top" | "none"): Promise<void> {
  await pool.query(`alter system set pg_stat_statements.track = ${what}`);
  await pool.query("select pg_reload_conf()");
}

const SHOWN = 110;

/** One line a statement: how often it came for each unit, and its milliseconds of planning and execution. */
export function describeStatements(statements: readonly Statement[], units: number): string {
  return statements
    .filter(({ calls }) => calls >= units / 100)
    .map(({ text, calls, planMs, executeMs }) => {
      const each = [calls / units, planMs / units, executeMs / units].map((value) => value.toFixed(3));
      return `    ${each.join("  ")}  ${text.slice(0, SHOWN)}`;
    })
    .join("\n");
}

export function totalCalls(statements: readonly Statement[]): number {
  return statements.reduce((total, { calls }) => total + calls, 0);
}
