import { CompiledQuery, type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { DOWNLOAD_AGAIN_MS, TRIED_IN_VAIN } from "../../domain/retries.ts";
import { type ImportFacts, readImportFacts, selectImportFacts } from "../import-facts.ts";
import type { DB } from "../schema.ts";
import { REASON, reasonColumns } from "../waiting-reasons.ts";
import { type FoundBy, type LedgerEntry, toEntry } from "./envelopes.ts";

/**
 * Claims the envelope for an import and takes its lock for this session: it waits and is due again when the lease ends, in
 * case this process dies. Leaves an imported or deleted envelope unchanged. Returns the entry after the claim; null if
 * another import holds the lock, or if the link is missing or has ended.
 */
export async function claimEnvelope(
  session: Kysely<DB>,
  claim: { envelopeId: EnvelopeId; linkId: LinkId; foundBy: FoundBy; now: Date; leaseUntil: Date },
): Promise<LedgerEntry | null> {
  const { envelopeId, linkId, foundBy, now, leaseUntil } = claim;
  const { rows } = await sql<Selectable<DB["envelope"]>>`
    with current as materialized (
      select tenant, ${LOCK} as is_locked
      from (select tenant, ${envelopeId}::uuid as envelope_id from link where id = ${linkId} and state <> 'ended') as link
    )
    insert into envelope as known (
      tenant, envelope_id, link_id, state, reason, found_by, found_at, waiting_until, attempts, last_attempt_at
    )
    select tenant, ${envelopeId}::uuid, ${linkId}::uuid, 'waiting', 'queued', ${foundBy}, ${now}::timestamptz,
      ${leaseUntil}::timestamptz, 1, ${now}::timestamptz
    from current where is_locked
    on conflict (tenant, envelope_id) do update set
      link_id = excluded.link_id, attempts = known.attempts + 1, last_attempt_at = excluded.last_attempt_at,
      waiting_until = case when known.state = 'waiting' then excluded.waiting_until end
    returning *`.execute(session);
  return rows[0] === undefined ? null : toEntry(rows[0]);
}

/** Takes the lock of the row's envelope for this session, in SQL. `importLock` names the same lock. */
const TRY_LOCK = "pg_try_advisory_lock(hashtextextended('import ' || tenant || ' ' || envelope_id, 0))";
const LOCK: RawBuilder<boolean> = sql.raw(TRY_LOCK);

/** An envelope that a lane has claimed. */
export type ClaimedEnvelope = {
  /** False if another worker imports the envelope. */
  readonly isLocked: boolean;
  readonly entry: LedgerEntry;
  readonly facts: ImportFacts;
  /** True if the document store refused writes and no import has succeeded since. */
  readonly isAfterOutage: boolean;
};

export type LaneClaim = {
  readonly linkId: LinkId;
  readonly now: Date;
  readonly leaseUntil: Date;
  /** Envelopes found after this time go first; all are alike if null. */
  readonly newerThan: Date | null;
  /** Claims no others. */
  readonly onlyNewer: boolean;
  /** The most envelopes to claim. One that was tried before is claimed by itself: its import may have ended a process. */
  readonly most: number;
  /** The locks that the lane gives up. */
  readonly previous: readonly string[];
};

/**
 * Claims the link's next due envelopes for a lane, as `claimEnvelope` does, and takes their locks for this session, all in
 * one statement. Gives up the previous locks. Returns none if none is due, or if nothing of the link may be imported now.
 * Two lanes never claim the same envelope.
 */
export async function claimForLane(session: Kysely<DB>, claim: LaneClaim): Promise<ClaimedEnvelope[]> {
  const { linkId, now, leaseUntil, newerThan, onlyNewer, most, previous } = claim;
  const values = [linkId, now, leaseUntil, newerThan, onlyNewer, previous, most];
  const { rows } = await session.executeQuery<LaneRow>(CompiledQuery.raw(CLAIM, values));
  return rows.map((row) => ({
    isLocked: row.is_locked,
    entry: toEntry(row),
    facts: readImportFacts(row.import_facts),
    isAfterOutage: row.is_after_outage,
  }));
}

type LaneRow = Selectable<DB["envelope"]> & {
  readonly is_locked: boolean;
  readonly import_facts: unknown;
  readonly is_after_outage: boolean;
};

const DUE = `
  select tenant, envelope_id, attempts, waiting_until from envelope
  where link_id = $1 and state = 'waiting' and waiting_until <= $2 and exists (select from allowed)`;
const FIRST = "order by waiting_until limit $7 for update skip locked";

/**
 * $1: link, $2: now, $3: end of the lease, $4: newer than, $5: only newer ones, $6: the locks to give up, $7: the most
 * envelopes. A paused link is stored as an active one. Newer envelopes are due after that time too, which lets the index
 * skip all others.
 */
const CLAIM = `
  with allowed as materialized (
    select (select count(pg_advisory_unlock(hashtextextended(name, 0))) from unnest($6::text[]) as name) from link
    where id = $1 and state = 'active' and paused_at is null
      and not exists (select from document_store_outage where ended_at is null)
      and not exists (select from account_budget where account_id = link.account_id and paused_until > $2)
  ), newer as (
    ${DUE} and waiting_until > $4 and found_at > $4 ${FIRST}
  ), older as (
    ${DUE} and not $5::boolean and not exists (select from newer) ${FIRST}
  ), due as (
    select *, row_number() over next as place, first_value(attempts) over next as first_attempts
    from (select * from newer union all select * from older) as either
    window next as (order by waiting_until, envelope_id)
  ), locked as materialized (
    select tenant, envelope_id, place, ${TRY_LOCK} as is_locked
    from due where place = 1 or (attempts = 0 and first_attempts = 0)
  ), claimed as (
    update envelope set waiting_until = $3, attempts = attempts + is_locked::int,
      last_attempt_at = case when is_locked then $2 else last_attempt_at end
    from locked where envelope.tenant = locked.tenant and envelope.envelope_id = locked.envelope_id
    returning envelope.*, is_locked, place
  )
  select *, ${selectImportFacts("claimed.tenant", "claimed.envelope_id")} as import_facts,
    exists (select from document_store_outage) as is_after_outage
  from claimed order by place`;

/** Gives claimed envelopes back whose imports did not begin: they are due at once. */
export async function releaseClaims(
  db: Kysely<DB>,
  tenant: string,
  envelopeIds: readonly EnvelopeId[],
  now: Date,
): Promise<void> {
  await updateWaiting(db, tenant, envelopeIds)
    .set({ waiting_until: now, attempts: sql<number>`greatest(attempts - 1, 0)` })
    .execute();
}

/** The lock under which an envelope is imported. */
export function importLock(tenant: string, envelopeId: EnvelopeId): string {
  return `import ${tenant} ${envelopeId}`;
}

/**
 * Lets the envelope wait for a named reason until the given time; null parks it. Discards the listed data, so that the next
 * attempt asks DocuSign. Waits that the envelope does not cause do not count as attempts.
 */
export async function postponeEnvelope(
  db: Kysely<DB>,
  entry: {
    tenant: string;
    envelopeId: EnvelopeId;
    reason: string;
    until: Date | null;
    error: string | null;
    countsAsAttempt: boolean;
  },
): Promise<void> {
  await db
    .updateTable("envelope")
    .set({
      ...reasonColumns(entry),
      waiting_until: entry.until,
      ...(entry.countsAsAttempt ? { listing: null } : { attempts: sql<number>`greatest(attempts - 1, 0)` }),
    })
    .where("tenant", "=", entry.tenant)
    .where("envelope_id", "=", entry.envelopeId)
    .where("state", "=", "waiting")
    .execute();
}

/** Makes an excluded envelope wait again that is to be imported after all. */
export async function reopenEnvelope(
  db: Kysely<DB>,
  entry: { tenant: string; envelopeId: EnvelopeId; dueAt: Date },
): Promise<void> {
  await db
    .updateTable("envelope")
    .set({ state: "waiting", reason: "queued", waiting_until: entry.dueAt })
    .where("tenant", "=", entry.tenant)
    .where("envelope_id", "=", entry.envelopeId)
    .where("state", "=", "excluded")
    .execute();
}

/**
 * Makes the link's envelopes due that an earlier window excluded and that `starts` may include. Returns their number. Facts
 * that are unknown count as true.
 */
export async function reopenBeforeWindow(
  tx: Kysely<DB>,
  linkId: LinkId,
  starts: { readonly sentFrom: Date | null; readonly receivedFrom: Date | null },
  now: Date,
): Promise<number> {
  const isSince = (start: Date | null, fact: string): RawBuilder<boolean> => sql<boolean>`
    (facts ->> ${fact} is distinct from 'false' and (${start}::timestamptz is null or completed_at >= ${start}))`;
  const result = await tx
    .updateTable("envelope")
    .set({
      state: "waiting",
      reason: "queued",
      waiting_until: now,
      attempts: 0,
      decided_at: null,
      listing: null,
    })
    .where("link_id", "=", linkId)
    .where("state", "=", "excluded")
    .where("reason", "=", "before-window")
    .where((is) =>
      is.or([isSince(starts.sentFrom, "sentByAccount"), isSince(starts.receivedFrom, "receivedByUser")]),
    )
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** An envelope that only an event named is forgotten after a few attempts, however often an operator retries. */
const ATTEMPTS_AFRESH = sql<number>`
  case when reason = 'not-found-yet' and completed_at is null then attempts else 0 end`;

/**
 * Makes failed envelopes of the link due again, including parked ones: for one more attempt, or with `afresh` as if they had
 * never been tried. Leaves out envelopes that were requested from DocuSign a short time ago.
 */
export async function takeUpFailed(
  db: Kysely<DB>,
  linkId: LinkId,
  { now, afresh }: { now: Date; afresh: boolean },
): Promise<void> {
  const triedBefore = new Date(now.getTime() - DOWNLOAD_AGAIN_MS);
  await db
    .updateTable("envelope")
    .set({ waiting_until: now, ...(afresh && { attempts: ATTEMPTS_AFRESH }) })
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .where((is) =>
      is.or([
        is("waiting_until", "is", null),
        is.and([is(REASON, "in", TRIED_IN_VAIN), is("last_attempt_at", "<=", triedBefore)]),
        // An operator may retry at any time what no document caused.
        ...(afresh ? [is(REASON, "in", ["docusign-unavailable", "not-found-yet", "import-failed"])] : []),
      ]),
    )
    .execute();
}

/** Makes the parked ones of the envelopes due again, as if they had never been tried. */
export async function takeUpParked(
  db: Kysely<DB>,
  tenant: string,
  envelopeIds: readonly EnvelopeId[],
  now: Date,
): Promise<void> {
  await updateWaiting(db, tenant, envelopeIds)
    .set({ waiting_until: now, attempts: 0 })
    .where("waiting_until", "is", null)
    .execute();
}

/** Begins an update of those envelopes that wait. */
function updateWaiting(db: Kysely<DB>, tenant: string, envelopeIds: readonly EnvelopeId[]) {
  return db
    .updateTable("envelope")
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", sql<string>`any(${envelopeIds}::uuid[])`)
    .where("state", "=", "waiting");
}
