import { type Kysely, sql } from "kysely";

/** Figures of a link are counted without its rows, and what one looks for in a large tenant is found without a walk. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `drop index envelope_of_link`,
  `create index envelope_of_link on envelope (link_id, state, reason) include (completed_at)`,
  `create index contract_by_conclusion on contract (tenant, concluded_on) where deleted_at is null`,
  `create index reconciliation_of_link on reconciliation (link_id, started_at desc) where state = 'done'`,
  `create index reconciliation_first on reconciliation (link_id, started_at desc) where kind = 'first'`,
];
