import { type Kysely, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import type { Decision } from "./envelopes.ts";

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

/** Removes an envelope that an event named but DocuSign does not know. */
export async function forgetEnvelope(db: Kysely<DB>, tenant: string, envelopeId: EnvelopeId): Promise<void> {
  await db
    .deleteFrom("envelope")
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .where("state", "=", "waiting")
    .where("completed_at", "is", null)
    .execute();
}

/** Marks the envelope deleted when its last contract is deleted. This state is final. */
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

export type FoundEnvelope = Decision & {
  readonly envelopeId: EnvelopeId;
  readonly listing: object | null;
  /** The members of signing groups if this is the first judgement. */
  readonly groupMembers: readonly object[] | null;
};

/**
 * Writes the results of a reconciliation to the ledger. New envelopes get the decided state. Envelopes of an ended link,
 * and excluded ones with a new decision, move to this link. Imported and deleted envelopes keep their state. A waiting
 * envelope of this link keeps its time, since DocuSign may have set it.
 */
export async function recordFound(
  tx: Kysely<DB>,
  found: readonly FoundEnvelope[],
  by: { tenant: string; linkId: LinkId; now: Date },
): Promise<void> {
  if (found.length === 0) return;
  await sql`
    insert into envelope as known
      (tenant, envelope_id, link_id, state, reason, completed_at, facts, listing, found_by, found_at, decided_at, waiting_until, group_members)
    select ${by.tenant}, id, ${by.linkId}, state, reason, completed_at, facts, listing, 'reconciliation', ${by.now},
      case when state <> 'waiting' then ${by.now}::timestamptz end,
      case when state = 'waiting' then ${by.now}::timestamptz end, group_members
    from unnest(
      ${found.map((one) => one.envelopeId)}::uuid[], ${found.map((one) => one.state)}::text[],
      ${found.map((one) => one.reason)}::text[], ${found.map((one) => one.completedAt)}::timestamptz[],
      ${found.map((one) => JSON.stringify(one.facts))}::jsonb[],
      ${found.map((one) => (one.listing === null ? null : JSON.stringify(one.listing)))}::jsonb[],
      ${found.map((one) => (one.groupMembers === null ? null : JSON.stringify(one.groupMembers)))}::jsonb[]
    ) as t (id, state, reason, completed_at, facts, listing, group_members)
    order by id
    on conflict (tenant, envelope_id) do update set
      link_id = excluded.link_id,
      group_members = coalesce(known.group_members, excluded.group_members),
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
