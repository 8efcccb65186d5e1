import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";

/** The channel that migration 0007 notifies for each new note. The payload is its type, a space and the tenant. */
export const FEED_NOTES_CHANNEL = "torikomi_feed_notes";

/**
 * Adds the feed's `restored` entry for each tenant with data: what readers took after `since` may be unknown here. Adds
 * none that is there already, so a repeated call changes nothing. Returns the number of new entries. Their insertion
 * notifies readers.
 */
export async function addRestoredEntries(tx: Kysely<DB>, since: Date): Promise<number> {
  const { rows } = await sql`
    insert into feed_note (tenant, type, note)
    select distinct tenant, 'restored', jsonb_build_object('since', ${since.toISOString()}::text)
    from cabinet_group
    on conflict do nothing
    returning id`.execute(tx);
  return rows.length;
}
