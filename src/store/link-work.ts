import { type RawBuilder, sql } from "kysely";

/** True if an envelope of the row of `link` waits, in a statement that reads that table. */
export const HAS_WAITING: RawBuilder<boolean> = sql`exists (
  select from envelope where envelope.link_id = link.id and envelope.state = 'waiting'
)`;

/** True if a reconciliation of the row of `link` is in progress. */
export const HAS_RUNNING: RawBuilder<boolean> = sql`exists (
  select from reconciliation where reconciliation.link_id = link.id and reconciliation.state = 'running'
)`;
