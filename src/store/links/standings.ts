import { type Kysely, type Nullable, type Selectable, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import { HAS_RUNNING, HAS_WAITING } from "../link-work.ts";
import type { DB, Link as LinkRow, LinkToken } from "../schema.ts";
import { joinedTokens, type TokenRow } from "./link-tokens.ts";
import { type Link, toLink } from "./links.ts";

/** An unended link, with what decides whether its hour can be quiet. */
export type Standing = {
  readonly link: Link;
  readonly hasWaiting: boolean;
  readonly hasRunning: boolean;
  /** True if listings ask for less than the maximum. */
  readonly isSlow: boolean;
  /** True if an envelope in the ledger completed after the window of the latest run. */
  readonly hasNews: boolean;
  /** Encrypted, as they are stored; null if the link has no tokens. */
  readonly tokens: TokenRow | null;
};

type Flags = { has_waiting: boolean; has_running: boolean; is_slow: boolean; has_news: boolean };

/** Returns the standing of those links that have not ended, by one statement. */
export async function findStandings(db: Kysely<DB>, linkIds: readonly LinkId[]): Promise<Standing[]> {
  const { rows } = await sql<Selectable<LinkRow> & Nullable<Selectable<LinkToken>> & Flags>`
    select link.*, link_token.*,
      link.listing_pace is not null as is_slow,
      ${HAS_WAITING} as has_waiting,
      ${HAS_RUNNING} as has_running,
      exists (
        select from envelope where envelope.link_id = link.id and envelope.completed_at >= latest.window_to
      ) as has_news
    from link left join link_token on link_token.link_id = link.id left join lateral (
      select window_to from reconciliation
      where reconciliation.tenant = link.tenant and link_id = link.id and reconciliation.state = 'done'
      order by started_at desc limit 1
    ) as latest on true
    where link.id = any(${linkIds}::uuid[]) and link.state <> 'ended'`.execute(db);
  return rows.map((row) => ({
    link: toLink(row),
    hasWaiting: row.has_waiting,
    hasRunning: row.has_running,
    isSlow: row.is_slow,
    hasNews: row.has_news,
    tokens: joinedTokens(row),
  }));
}
