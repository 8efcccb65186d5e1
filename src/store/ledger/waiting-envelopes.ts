import { type Kysely, type RawBuilder, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import { importJobKey } from "../queue/queue.ts";
import type { DB } from "../schema.ts";
import { WAITING } from "../states.ts";

/** Returns when the link's next waiting envelope is due; null if none has a time. */
export async function nextDueAt(db: Kysely<DB>, linkId: LinkId): Promise<Date | null> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.min("waiting_until").as("due"))
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .executeTakeFirst();
  return row?.due ?? null;
}

/** True if a worker holds an envelope of the link: queued envelopes are due at once, leased ones later. */
export async function hasLeased(db: Kysely<DB>, linkId: LinkId, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom("envelope")
    .select("envelope_id")
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .where("reason", "=", "queued")
    .where("waiting_until", ">", now)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** The completion of the oldest envelope that still waits under the link (import-rules 2.3). */
export async function oldestWaiting(db: Kysely<DB>, linkId: LinkId): Promise<Date | null> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.min("completed_at").as("oldest"))
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .executeTakeFirst();
  return row?.oldest ?? null;
}

/**
 * Returns the first announcement among the link's waiting envelopes whose completion is unknown, whether they failed or
 * are still queued; null if there are none. An envelope that a listing shows without its completion may have completed at
 * any time: then the result is `sinceEver`. An envelope that DocuSign did not show as completed when asked since
 * `unlistedFrom` counts too, since its event may have been ahead of DocuSign. Listings show older completions.
 */
export async function oldestAnnounced(
  db: Kysely<DB>,
  linkId: LinkId,
  { sinceEver, unlistedFrom }: { sinceEver: Date; unlistedFrom: Date },
): Promise<Date | null> {
  const { rows } = await sql<{ oldest: Date | null }>`
    select min(announced.at) as oldest from (
      select case when found_by = 'reconciliation' then ${sinceEver} else found_at end as at from envelope
      where link_id = ${linkId} and state = 'waiting' and completed_at is null
      union all
      select last_attempt_at from envelope
      where link_id = ${linkId} and ${NOT_COMPLETED} and last_attempt_at > ${unlistedFrom}
      union all
      select event.received_at from graphile_worker.jobs as job
      join connect_event as event on event.link_id = ${linkId} and event.envelope_id = ${announcedBy(linkId)}
        and not event.is_foreign
      where not exists (
          select from envelope
          where envelope.link_id = event.link_id and envelope.envelope_id = event.envelope_id and not (${NOT_COMPLETED})
        )
    ) as announced`.execute(db);
  return rows[0]?.oldest ?? null;
}

const NOT_COMPLETED = sql`(envelope.state = 'excluded' and envelope.reason = 'not-completed')`;

/** The envelope that a `job` of the queue imports for the link; null where it does something else. */
export function announcedBy(linkId: LinkId): RawBuilder<unknown> {
  return sql`case when starts_with(job.key, ${importJobKey(linkId, "")}) then split_part(job.key, ':', 3)::uuid end`;
}
