import { type Kysely, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { importJobKey } from "../queue/queue.ts";
import type { DB } from "../schema.ts";

/** How many envelopes of the link wait. */
export async function countWaiting(db: Kysely<DB>, linkId: LinkId): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** How many envelopes of the link wait for each cause, parked ones included. */
export async function countWaitingByCause(db: Kysely<DB>, linkId: LinkId): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom("envelope")
    .select(["reason", (select) => select.fn.countAll<string>().as("count")])
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .groupBy("reason")
    .orderBy("reason")
    .execute();
  return Object.fromEntries(rows.map((row) => [row.reason, Number(row.count)]));
}

/** Whether an import of the link is in somebody's hands: what is merely queued is due at once, what is leased later. */
export async function hasLeased(db: Kysely<DB>, linkId: LinkId, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom("envelope")
    .select("envelope_id")
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .where("reason", "=", "queued")
    .where("waiting_until", ">", now)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Makes those of the envelopes due again that are parked, as if they had never been tried. */
export async function takeUpParked(
  db: Kysely<DB>,
  tenant: string,
  envelopeIds: readonly EnvelopeId[],
  now: Date,
): Promise<void> {
  await db
    .updateTable("envelope")
    .set({ waiting_until: now, attempts: 0 })
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", sql<string>`any(${envelopeIds}::uuid[])`)
    .where("state", "=", "waiting")
    .where("waiting_until", "is", null)
    .execute();
}

/**
 * When the first of the link's waiting envelopes was announced of which it is not known yet when it completed: tried in
 * vain, or still in the queue; null where there is none. One that a listing shows without its completion may have
 * completed at any time: then this is `sinceEver`. One that DocuSign did not show as completed when it was asked for it,
 * since `unlistedFrom`, counts too: its event may have been ahead of DocuSign. What completed earlier listings show.
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
      where not exists (
          select from envelope
          where envelope.link_id = event.link_id and envelope.envelope_id = event.envelope_id and not (${NOT_COMPLETED})
        )
    ) as announced`.execute(db);
  return rows[0]?.oldest ?? null;
}

const NOT_COMPLETED = sql`(envelope.state = 'excluded' and envelope.reason = 'not-completed')`;

/** The envelope that a `job` of the queue imports for the link; null where it does something else. */
function announcedBy(linkId: LinkId) {
  return sql`case when starts_with(job.key, ${importJobKey(linkId, "")}) then split_part(job.key, ':', 3)::uuid end`;
}

/** How many envelopes the queue holds for the link that are in no ledger line yet: an event has announced them. */
export async function countAnnounced(
  db: Kysely<DB>,
  { id, tenant }: { id: LinkId; tenant: string },
): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) from (
      select ${announcedBy(id)} as envelope_id from graphile_worker.jobs as job
    ) as announced
    where announced.envelope_id is not null and not exists (
      select from envelope where tenant = ${tenant} and envelope.envelope_id = announced.envelope_id
    )`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

/** How many envelopes of the link a reconciliation found first. */
export async function countFoundByListing(db: Kysely<DB>, linkId: LinkId): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("found_by", "=", "reconciliation")
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** The tenants whose ledger or whose links' events know the envelope, in alphabetical order. */
export async function tenantsOfEnvelope(db: Kysely<DB>, envelopeId: EnvelopeId): Promise<string[]> {
  const { rows } = await sql<{ tenant: string }>`
    select tenant from envelope where envelope_id = ${envelopeId}
    union
    select link.tenant from connect_event join link on link.id = connect_event.link_id
    where connect_event.envelope_id = ${envelopeId}
    order by tenant`.execute(db);
  return rows.map((row) => row.tenant);
}
