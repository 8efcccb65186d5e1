import type { Kysely } from "kysely";
import type { Forwarding } from "../../domain/envelope.ts";
import { type EnvelopeId, parseUuid, type UserId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

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
): Promise<Map<string, Forwarding[]>> {
  if (envelopeIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("forwarding")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("envelope_id", "in", [...envelopeIds])
    .orderBy("event_id")
    .orderBy("position")
    .execute();
  const found = new Map<string, Forwarding[]>();
  for (const row of rows) {
    const forwarding = {
      from: person(row.from_recipient_id, row.from_user_id, row.from_email),
      to: person(row.to_recipient_id, row.to_user_id, row.to_email),
    };
    found.set(row.envelope_id, [...(found.get(row.envelope_id) ?? []), forwarding]);
  }
  return found;
}

function person(recipientId: string | null, userId: string | null, email: string | null): Forwarding["from"] {
  return { recipientId, userId: parseUuid<UserId>(userId), email };
}
