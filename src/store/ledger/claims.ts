import { type Kysely, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { DOWNLOAD_AGAIN_MS, TRIED_IN_VAIN } from "../../domain/retries.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";
import { type FoundBy, type LedgerEntry, toEntry } from "./envelopes.ts";

/**
 * Marks that an import of the envelope begins: it waits, and is due again when the lease is over, should this
 * process die. What is imported or deleted stays as it is. Returns the line as it then stands.
 */
export async function claimEnvelope(
  db: Kysely<DB>,
  claim: {
    tenant: string;
    envelopeId: EnvelopeId;
    linkId: LinkId;
    foundBy: FoundBy;
    now: Date;
    leaseUntil: Date;
  },
): Promise<LedgerEntry> {
  const row = await db
    .insertInto("envelope")
    .values({
      tenant: claim.tenant,
      envelope_id: claim.envelopeId,
      link_id: claim.linkId,
      state: "waiting",
      reason: "queued",
      found_by: claim.foundBy,
      found_at: claim.now,
      waiting_until: claim.leaseUntil,
      attempts: 1,
      last_attempt_at: claim.now,
    })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "envelope_id"]).doUpdateSet({
        link_id: claim.linkId,
        attempts: sql`envelope.attempts + 1`,
        last_attempt_at: claim.now,
        waiting_until: sql`case when envelope.state = 'waiting' then ${claim.leaseUntil}::timestamptz end`,
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toEntry(row);
}

/**
 * Takes the link's next due envelope, of those found after the moment where one is given, and leases it; null where
 * none is due. Two lanes never take the same.
 */
export async function claimNextDue(
  db: Kysely<DB>,
  claim: { linkId: LinkId; now: Date; leaseUntil: Date; foundAfter?: Date },
): Promise<EnvelopeId | null> {
  const foundAfter = claim.foundAfter === undefined ? sql`` : sql`and found_at > ${claim.foundAfter}`;
  const { rows } = await sql<{ envelope_id: string }>`
    update envelope set waiting_until = ${claim.leaseUntil}
    where (tenant, envelope_id) in (
      select tenant, envelope_id from envelope
      where link_id = ${claim.linkId} and state = 'waiting' and waiting_until <= ${claim.now} ${foundAfter}
      order by waiting_until limit 1
      for update skip locked
    )
    returning envelope_id`.execute(db);
  return rows[0] === undefined ? null : required(parseUuid<EnvelopeId>(rows[0].envelope_id));
}

/**
 * Leaves the envelope waiting for a named cause: until a moment, or (null) until someone takes it up. What a
 * listing said of it is forgotten: the next attempt asks DocuSign. Waits that are nobody's fault are no attempt.
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
      reason: entry.reason,
      waiting_until: entry.until,
      last_error: entry.error,
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
 * Makes envelopes of the link due again that were tried in vain, parked ones included: once more before they wait as
 * before, or `afresh` as if they had never been tried. Not those that DocuSign was asked for a short time ago.
 */
export async function takeUpFailed(
  db: Kysely<DB>,
  linkId: LinkId,
  { now, afresh }: { now: Date; afresh: boolean },
): Promise<void> {
  const triedBefore = new Date(now.getTime() - DOWNLOAD_AGAIN_MS);
  await db
    .updateTable("envelope")
    .set({ waiting_until: now, ...(afresh && { attempts: 0 }) })
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .where((is) =>
      is.or([
        is("waiting_until", "is", null),
        is.and([is("reason", "in", TRIED_IN_VAIN), is("last_attempt_at", "<=", triedBefore)]),
        // What is no document's fault an operator may ask for at any time.
        ...(afresh ? [is("reason", "in", ["docusign-unavailable", "not-found-yet", "import-failed"])] : []),
      ]),
    )
    .execute();
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
