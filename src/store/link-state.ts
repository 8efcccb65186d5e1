import { type RawBuilder, sql } from "kysely";

/** The state of a row of `link`, in SQL. A paused link is stored as an active one, which version 0.1 knows. */
export const LINK_STATE: RawBuilder<string> = sql<string>`
  case when link.state = 'active' and link.paused_at is not null then 'paused' else link.state end`;
