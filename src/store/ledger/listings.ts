import { type Kysely, sql } from "kysely";
import { type EnvelopeId, type LinkId, parseUuid } from "../../domain/identifiers.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";

/** More leased envelopes than a link has lanes. */
const MOST_LEASED = 20;

/** Data from a listing before this time, of one side of the link. */
export type StaleListings = { readonly linkId: LinkId; readonly sent: boolean; readonly before: Date };

/**
 * Lists waiting envelopes of the link whose listed data is stale: first those that lanes have leased, then those that lanes
 * claim next.
 */
export async function listStale(
  db: Kysely<DB>,
  { linkId, sent, before }: StaleListings,
  { now, limit }: { now: Date; limit: number },
): Promise<{ envelopeId: EnvelopeId; completedAt: Date }[]> {
  const stale = sql`
    select envelope_id, completed_at, waiting_until from envelope
    where link_id = ${linkId} and state = 'waiting' and completed_at is not null and listing is not null
      and coalesce(listing ->> 'listedAt', '') < ${before.toISOString()}
      and coalesce(facts ->> 'sentByAccount', 'false') = ${String(sent)}`;
  const { rows } = await sql<{ envelope_id: string; completed_at: Date }>`
    select envelope_id, completed_at from (
      (${stale} and waiting_until > ${now} and reason = 'queued' order by waiting_until limit ${MOST_LEASED})
      union all
      (${stale} and waiting_until <= ${now} order by waiting_until limit ${limit})
    ) as found limit ${limit}`.execute(db);
  return rows.map((row) => ({
    envelopeId: required(parseUuid<EnvelopeId>(row.envelope_id)),
    completedAt: row.completed_at,
  }));
}

/**
 * Replaces stale data of envelopes that still wait under the link. Null lets their imports read them from DocuSign one by
 * one.
 */
export async function replaceStale(
  db: Kysely<DB>,
  { linkId, before }: StaleListings,
  listings: ReadonlyMap<EnvelopeId, object | null>,
): Promise<void> {
  await sql`
    update envelope set listing = fresh.listing
    from unnest(
      ${[...listings.keys()]}::uuid[],
      ${[...listings.values()].map((listing) => listing && JSON.stringify(listing))}::jsonb[]
    ) as fresh (id, listing)
    where envelope_id = fresh.id and link_id = ${linkId} and state = 'waiting'
      and coalesce(envelope.listing ->> 'listedAt', '') < ${before.toISOString()}`.execute(db);
}
