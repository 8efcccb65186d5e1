import { type Kysely, type Selectable, sql } from "kysely";
import type { Forwarding } from "../../domain/envelope.ts";
import { type EnvelopeId, parseUuid, type UserId } from "../../domain/identifiers.ts";
import type { DB, Forwarding as ForwardingRow } from "../schema.ts";

/** Returns an envelope's forwardings from the tenant's events, in order of arrival. */
export async function listForwardings(
  db: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
): Promise<Forwarding[]> {
  return (await listForwardingsOf(db, tenant, [envelopeId])).get(envelopeId) ?? [];
}

/** Like `listForwardings`, for many envelopes. Envelopes without forwardings are absent. */
export async function listForwardingsOf(
  db: Kysely<DB>,
  tenant: string,
  envelopeIds: readonly EnvelopeId[],
): Promise<ReadonlyMap<string, Forwarding[]>> {
  const envelopes = envelopeIds.map((envelopeId) => ({ tenant, envelopeId }));
  return (await findForwardingsOf(db, envelopes)).get(tenant) ?? new Map();
}

/** The same for envelopes of many tenants, by tenant. */
export async function findForwardingsOf(
  db: Kysely<DB>,
  envelopes: readonly { readonly tenant: string; readonly envelopeId: EnvelopeId }[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Forwarding[]>>> {
  if (envelopes.length === 0) return new Map();
  const { rows } = await sql<Selectable<ForwardingRow>>`
    select forwarding.* from unnest(
      ${envelopes.map(({ tenant }) => tenant)}::text[], ${envelopes.map((one) => one.envelopeId)}::uuid[]
    ) as envelope (tenant, envelope_id)
    cross join lateral (
      -- The offset keeps each look-up on the index.
      select * from forwarding
      where forwarding.tenant = envelope.tenant and forwarding.envelope_id = envelope.envelope_id offset 0
    ) as forwarding
    order by event_id, position`.execute(db);
  const byTenant = Map.groupBy(rows, ({ tenant }) => tenant);
  return new Map([...byTenant].map(([tenant, own]) => [tenant, byEnvelope(own)]));
}

function byEnvelope(rows: readonly Selectable<ForwardingRow>[]): Map<string, Forwarding[]> {
  const grouped = Map.groupBy(rows, (row) => row.envelope_id);
  return new Map([...grouped].map(([id, own]) => [id, own.map(toForwarding)]));
}

function toForwarding(row: Selectable<ForwardingRow>): Forwarding {
  return {
    from: person(row.from_recipient_id, row.from_user_id, row.from_email),
    to: person(row.to_recipient_id, row.to_user_id, row.to_email),
  };
}

function person(recipientId: string | null, userId: string | null, email: string | null): Forwarding["from"] {
  return { recipientId, userId: parseUuid<UserId>(userId), email };
}
