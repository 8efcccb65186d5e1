import type { Kysely } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

/** Returns those of the envelopes that an event has announced as completed, whether or not their import has run. */
export async function announcedEnvelopes(
  db: Kysely<DB>,
  linkId: LinkId,
  envelopeIds: readonly EnvelopeId[],
): Promise<ReadonlySet<string>> {
  if (envelopeIds.length === 0) return new Set();
  const rows = await db
    .selectFrom("connect_event")
    .select("envelope_id")
    .distinct()
    .where("link_id", "=", linkId)
    .where("event", "=", "envelope-completed")
    .where("is_foreign", "=", false)
    .where("envelope_id", "in", [...envelopeIds])
    .execute();
  return new Set(rows.map((row) => row.envelope_id ?? ""));
}

export type RecordedEvent = {
  readonly id: string;
  readonly linkId: string;
  readonly event: string;
  readonly format: string;
  readonly envelopeId: string | null;
  readonly generatedAt: Date | null;
  readonly receivedAt: Date;
};

/** Returns the events about an envelope that the tenant's links received, except foreign ones, in order of arrival. */
export async function eventsOfEnvelope(
  db: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
): Promise<RecordedEvent[]> {
  return await selectEvents(db)
    .where("link.tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .where("is_foreign", "=", false)
    .orderBy("received_at")
    .orderBy("connect_event.id")
    .execute();
}

/** Returns the envelopes whose completion events reached unended links since the given time. */
export async function completionsSince(
  db: Kysely<DB>,
  filter: { linkId: LinkId | null; since: Date },
): Promise<{ linkId: string; envelopeId: string }[]> {
  let query = db
    .selectFrom("connect_event")
    .innerJoin("link", "link.id", "connect_event.link_id")
    .select(["link_id as linkId", "envelope_id as envelopeId"])
    .distinct()
    .where("link.state", "<>", "ended")
    .where("event", "=", "envelope-completed")
    .where("is_foreign", "=", false)
    .where("received_at", ">=", filter.since);
  if (filter.linkId !== null) query = query.where("link_id", "=", filter.linkId);
  const rows = await query.execute();
  return rows.flatMap(({ linkId, envelopeId }) => (envelopeId === null ? [] : [{ linkId, envelopeId }]));
}

function selectEvents(db: Kysely<DB>) {
  return db
    .selectFrom("connect_event")
    .innerJoin("link", "link.id", "connect_event.link_id")
    .select([
      "connect_event.id as id",
      "link_id as linkId",
      "event",
      "format",
      "envelope_id as envelopeId",
      "generated_at as generatedAt",
      "received_at as receivedAt",
    ]);
}
