import { type Kysely, sql } from "kysely";

/** An index of a large table takes minutes, in which the service goes on writing to it. */
export const withoutTransaction = true;

/** Figures of a link are counted without its rows, and what one looks for in a large tenant is found without a walk. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, rows] of INDEXES) {
    // Broken off, it leaves an index that is not valid.
    await sql.raw(`drop index concurrently if exists ${name}`).execute(db);
    await sql.raw(`create index concurrently ${name} on ${rows}`).execute(db);
  }
  await sql.raw("drop index concurrently if exists envelope_of_link").execute(db);
}

const INDEXES = [
  ["envelope_of_link_by_outcome", "envelope (link_id, state, reason) include (completed_at)"],
  ["contract_by_conclusion", "contract (tenant, concluded_on) where deleted_at is null"],
  ["reconciliation_of_link", "reconciliation (link_id, started_at desc) where state = 'done'"],
  ["reconciliation_first", "reconciliation (link_id, started_at desc) where kind = 'first'"],
] as const;
