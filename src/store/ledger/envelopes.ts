import { type Kysely, type Selectable, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { oneOf, required } from "../rows.ts";
import type { DB, Envelope as EnvelopeRow, Json } from "../schema.ts";
import { readReason } from "../waiting-reasons.ts";

export type EnvelopeState = "waiting" | "imported" | "excluded" | "deleted";
export type FoundBy = "event" | "reconciliation" | "replay";

/** An entry of the ledger: the state of one envelope of a tenant, and the reason. */
export type LedgerEntry = {
  readonly tenant: string;
  readonly envelopeId: EnvelopeId;
  /** The link that judged the envelope last. */
  readonly linkId: LinkId;
  readonly state: EnvelopeState;
  readonly reason: string;
  readonly completedAt: Date | null;
  readonly facts: Json;
  /** Data from a listing, kept while the envelope waits, so that its import need not read it from DocuSign again. */
  readonly listing: Json | null;
  /** The members of signing groups at the first judgement; null if there was no group, or version 0.1 judged it. */
  readonly groupMembers: Json | null;
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
  /** Absent if nothing new is known. */
  readonly facts?: object;
};

/** Returns the ledger entry of an envelope; null if the envelope is unknown. */
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

/** Returns the ledger entries of many envelopes, by id. */
export async function findEnvelopes(
  db: Kysely<DB>,
  tenant: string,
  ids: readonly EnvelopeId[],
): Promise<Map<EnvelopeId, LedgerEntry>> {
  const entries = await findEnvelopesOfTenants(
    db,
    ids.map((envelopeId) => ({ tenant, envelopeId })),
  );
  return new Map(entries.map((entry) => [entry.envelopeId, entry]));
}

/** Returns the ledger entries of envelopes of many tenants. */
export async function findEnvelopesOfTenants(
  db: Kysely<DB>,
  envelopes: readonly { readonly tenant: string; readonly envelopeId: EnvelopeId }[],
): Promise<LedgerEntry[]> {
  if (envelopes.length === 0) return [];
  const { rows } = await sql<Selectable<EnvelopeRow>>`
    select envelope.* from unnest(
      ${envelopes.map(({ tenant }) => tenant)}::text[], ${envelopes.map((one) => one.envelopeId)}::uuid[]
    ) as listed (tenant, envelope_id)
    cross join lateral (
      -- The offset keeps each look-up on the index.
      select * from envelope where tenant = listed.tenant and envelope_id = listed.envelope_id offset 0
    ) as envelope`.execute(db);
  return rows.map(toEntry);
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

/** Returns the tenants whose ledger or events contain the envelope, in alphabetical order. */
export async function tenantsOfEnvelope(db: Kysely<DB>, envelopeId: EnvelopeId): Promise<string[]> {
  const { rows } = await sql<{ tenant: string }>`
    select tenant from envelope where envelope_id = ${envelopeId}
    union
    select link.tenant from connect_event join link on link.id = connect_event.link_id
    where connect_event.envelope_id = ${envelopeId} and not connect_event.is_foreign
    order by tenant`.execute(db);
  return rows.map((row) => row.tenant);
}

/** Converts a row of the table to an entry. */
export function toEntry(row: Selectable<EnvelopeRow>): LedgerEntry {
  const { reason, error } = readReason(row);
  return {
    tenant: row.tenant,
    envelopeId: required(parseUuid<EnvelopeId>(row.envelope_id)),
    linkId: required(parseUuid<LinkId>(row.link_id)),
    state: oneOf(["waiting", "imported", "excluded", "deleted"], row.state),
    reason,
    completedAt: row.completed_at,
    facts: row.facts,
    listing: row.listing,
    groupMembers: row.group_members,
    foundBy: oneOf(["event", "reconciliation", "replay"], row.found_by),
    foundAt: row.found_at,
    decidedAt: row.decided_at,
    attempts: row.attempts,
    lastAttemptAt: row.last_attempt_at,
    lastError: error,
    waitingUntil: row.waiting_until,
  };
}
