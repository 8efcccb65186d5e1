import { type Kysely, type Selectable, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { DOWNLOAD_AGAIN_MS, MOST_ATTEMPTS, TRIED_IN_VAIN } from "../../domain/retries.ts";
import { oneOf, required } from "../rows.ts";
import type { DB, Envelope as EnvelopeRow, Json } from "../schema.ts";

export type EnvelopeState = "waiting" | "imported" | "excluded" | "deleted";
export type FoundBy = "event" | "reconciliation" | "replay";

/** A line of the ledger: what became of one envelope of a tenant, and why. */
export type LedgerEntry = {
  readonly tenant: string;
  readonly envelopeId: EnvelopeId;
  /** The link that judged it last. */
  readonly linkId: LinkId;
  readonly state: EnvelopeState;
  readonly reason: string;
  readonly completedAt: Date | null;
  readonly facts: Json;
  /** What a listing said of it while it waits, so that its import need not ask DocuSign again. */
  readonly listing: Json | null;
  readonly foundBy: FoundBy;
  readonly foundAt: Date;
  readonly decidedAt: Date | null;
  readonly attempts: number;
  readonly lastAttemptAt: Date | null;
  readonly lastError: string | null;
  /** When a waiting envelope is due; null means parked. */
  readonly waitingUntil: Date | null;
};

export type Decision = {
  readonly state: EnvelopeState;
  readonly reason: string;
  readonly completedAt: Date | null;
  /** Unset where nothing more is known than before. */
  readonly facts?: object;
};

/** What the ledger knows of an envelope; null where it was never seen. */
export async function findEnvelope(
  db: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
): Promise<LedgerEntry | null> {
  const row = await db
    .selectFrom("envelope")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .executeTakeFirst();
  return row === undefined ? null : toEntry(row);
}

/** What the ledger knows of many envelopes, by their ids. */
export async function findEnvelopes(
  db: Kysely<DB>,
  tenant: string,
  ids: readonly EnvelopeId[],
): Promise<Map<EnvelopeId, LedgerEntry>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("envelope")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", sql<string>`any(${ids}::uuid[])`)
    .execute();
  return new Map(rows.map(toEntry).map((entry) => [entry.envelopeId, entry]));
}

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

/** When the link's next waiting envelope is due; null where none waits for a time. */
export async function nextDueAt(db: Kysely<DB>, linkId: LinkId): Promise<Date | null> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.min("waiting_until").as("due"))
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .executeTakeFirst();
  return row?.due ?? null;
}

/** How many envelopes of the link are due. */
export async function countDue(db: Kysely<DB>, linkId: LinkId, now: Date): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .where("waiting_until", "<=", now)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Writes the decision on an envelope that is not settled yet; imported and deleted are for ever. */
export async function settleEnvelope(
  tx: Kysely<DB>,
  entry: { tenant: string; envelopeId: EnvelopeId; linkId: LinkId; now: Date } & Decision,
): Promise<void> {
  await tx
    .updateTable("envelope")
    .set({
      link_id: entry.linkId,
      state: entry.state,
      reason: entry.reason,
      completed_at: entry.completedAt,
      ...(entry.facts !== undefined && { facts: JSON.stringify(entry.facts) }),
      decided_at: entry.now,
      last_error: null,
      listing: null,
      waiting_until: null,
    })
    .where("tenant", "=", entry.tenant)
    .where("envelope_id", "=", entry.envelopeId)
    .where("state", "in", ["waiting", "excluded"])
    .execute();
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

/** Forgets an envelope that an event named but DocuSign does not know. */
export async function forgetEnvelope(db: Kysely<DB>, tenant: string, envelopeId: EnvelopeId): Promise<void> {
  await db
    .deleteFrom("envelope")
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .where("state", "=", "waiting")
    .where("completed_at", "is", null)
    .execute();
}

/** Keeps the envelope's line as it is until the transaction ends; imports may go on storing contracts of it. */
export async function lockEnvelope(tx: Kysely<DB>, tenant: string, envelopeId: EnvelopeId): Promise<void> {
  await tx
    .selectFrom("envelope")
    .select("state")
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .forNoKeyUpdate()
    .execute();
}

/** Marks the envelope deleted once none of its contracts is left; deleted is for ever. */
export async function markEnvelopeDeleted(
  tx: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
  now: Date,
): Promise<void> {
  await tx
    .updateTable("envelope")
    .set({ state: "deleted", reason: "deleted-in-cabinet", decided_at: now })
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .where("state", "=", "imported")
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("contract")
            .select("contract.id")
            .where("contract.tenant", "=", tenant)
            .where("contract.envelope_id", "=", envelopeId)
            .where("contract.deleted_at", "is", null),
        ),
      ),
    )
    .execute();
}

export type FoundEnvelope = Decision & { readonly envelopeId: EnvelopeId; readonly listing: object | null };

/**
 * Takes what a reconciliation found into the ledger: new lines as decided; lines of an ended link, and
 * excluded ones that are decided anew, come under this link. Imported and deleted lines keep their state, and
 * what waits for a moment under this link waits for it still, as DocuSign may have named it.
 */
export async function recordFound(
  tx: Kysely<DB>,
  found: readonly FoundEnvelope[],
  by: { tenant: string; linkId: LinkId; now: Date },
): Promise<void> {
  if (found.length === 0) return;
  await sql`
    insert into envelope as known
      (tenant, envelope_id, link_id, state, reason, completed_at, facts, listing, found_by, found_at, decided_at, waiting_until)
    select ${by.tenant}, id, ${by.linkId}, state, reason, completed_at, facts, listing, 'reconciliation', ${by.now},
      case when state <> 'waiting' then ${by.now}::timestamptz end,
      case when state = 'waiting' then ${by.now}::timestamptz end
    from unnest(
      ${found.map((one) => one.envelopeId)}::uuid[], ${found.map((one) => one.state)}::text[],
      ${found.map((one) => one.reason)}::text[], ${found.map((one) => one.completedAt)}::timestamptz[],
      ${found.map((one) => JSON.stringify(one.facts))}::jsonb[],
      ${found.map((one) => (one.listing === null ? null : JSON.stringify(one.listing)))}::jsonb[]
    ) as t (id, state, reason, completed_at, facts, listing)
    order by id
    on conflict (tenant, envelope_id) do update set
      link_id = excluded.link_id,
      completed_at = coalesce(known.completed_at, excluded.completed_at),
      state = case when known.state = 'excluded' then excluded.state else known.state end,
      reason = case when known.state = 'excluded' then excluded.reason else known.reason end,
      facts = case when known.state = 'excluded' then excluded.facts else known.facts end,
      listing = case when known.state in ('waiting', 'excluded') then excluded.listing end,
      decided_at = case when known.state = 'excluded' then excluded.decided_at else known.decided_at end,
      waiting_until = case
        when known.state = 'waiting' and known.link_id = excluded.link_id
          then coalesce(known.waiting_until, excluded.found_at)
        when known.state = 'waiting' then least(known.waiting_until, excluded.found_at)
        when known.state = 'excluded' then excluded.waiting_until
      end`.execute(tx);
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

export type Totals = {
  readonly atDocuSign: number;
  readonly imported: number;
  readonly excluded: number;
  readonly deleted: number;
  readonly waiting: number;
};

/** The link's totals in envelopes; they add up by construction (import-rules 6). */
export async function countTotals(db: Kysely<DB>, linkId: LinkId): Promise<Totals> {
  const rows = await db
    .selectFrom("envelope")
    .select(["state", (select) => select.fn.countAll<string>().as("count")])
    .where("link_id", "=", linkId)
    .where((is) => is.or([is("completed_at", "is not", null), is("state", "=", "waiting")]))
    .groupBy("state")
    .execute();
  const count = (state: EnvelopeState): number => Number(rows.find((row) => row.state === state)?.count ?? 0);
  const totals = {
    imported: count("imported"),
    excluded: count("excluded"),
    deleted: count("deleted"),
    waiting: count("waiting"),
  };
  return { atDocuSign: totals.imported + totals.excluded + totals.deleted + totals.waiting, ...totals };
}

/** How many envelopes of the link each rule excluded. */
export async function countExcludedByRule(db: Kysely<DB>, linkId: LinkId): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom("envelope")
    .select(["reason", (select) => select.fn.countAll<string>().as("count")])
    .where("link_id", "=", linkId)
    .where("state", "=", "excluded")
    .where("completed_at", "is not", null)
    .groupBy("reason")
    .orderBy("reason")
    .execute();
  return Object.fromEntries(rows.map((row) => [row.reason, Number(row.count)]));
}

/** How many envelopes of the link were tried for days: parked, or tried once more by a reconciliation. */
export async function countParked(db: Kysely<DB>, linkId: LinkId): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .where((is) => is.or([is("waiting_until", "is", null), is("attempts", ">=", MOST_ATTEMPTS)]))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** The completion of the oldest envelope that still waits under the link (import-rules 2.3). */
export async function oldestWaiting(db: Kysely<DB>, linkId: LinkId): Promise<Date | null> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.min("completed_at").as("oldest"))
    .where("link_id", "=", linkId)
    .where("state", "=", "waiting")
    .executeTakeFirst();
  return row?.oldest ?? null;
}

function toEntry(row: Selectable<EnvelopeRow>): LedgerEntry {
  return {
    tenant: row.tenant,
    envelopeId: required(parseUuid<EnvelopeId>(row.envelope_id)),
    linkId: required(parseUuid<LinkId>(row.link_id)),
    state: oneOf(["waiting", "imported", "excluded", "deleted"], row.state),
    reason: row.reason,
    completedAt: row.completed_at,
    facts: row.facts,
    listing: row.listing,
    foundBy: oneOf(["event", "reconciliation", "replay"], row.found_by),
    foundAt: row.found_at,
    decidedAt: row.decided_at,
    attempts: row.attempts,
    lastAttemptAt: row.last_attempt_at,
    lastError: row.last_error,
    waitingUntil: row.waiting_until,
  };
}
