import { type Kysely, sql } from "kysely";

/** Building an index of a large table takes minutes. `create index concurrently` lets the service write meanwhile. */
export const withoutTransaction = true;

/** Indexes for counting a link's envelopes without reading their rows, and for lists and searches in a large tenant. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, rows] of INDEXES) {
    // An interrupted build leaves an invalid index behind.
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
