import { type Kysely, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";

export type ListedStretch = {
  readonly linkId: LinkId;
  /** What the link itself decided: facts of an earlier one may speak of another account. */
  readonly decidedSince: Date;
  /** Whether what the account sent was listed, or what the user received from elsewhere. */
  readonly sentByAccount: boolean;
  /** Completions from … to, the end included only where said. */
  readonly from: Date;
  readonly to: Date;
  readonly toIncluded: boolean;
  readonly listedIds: readonly EnvelopeId[];
};

/** Envelopes of the ledger that completed in a stretch of time of which a listing shows everything, but not them. */
export async function findUnlisted(db: Kysely<DB>, stretch: ListedStretch): Promise<EnvelopeId[]> {
  const rows = await db
    .selectFrom("envelope")
    .select("envelope_id")
    .where("link_id", "=", stretch.linkId)
    .where("decided_at", ">=", stretch.decidedSince)
    .where("completed_at", ">=", stretch.from)
    .where("completed_at", stretch.toIncluded ? "<=" : "<", stretch.to)
    .where(sql<boolean>`(facts ->> 'sentByAccount' = 'true') = ${stretch.sentByAccount}`)
    .where("envelope_id", "<>", sql<string>`all(${stretch.listedIds}::uuid[])`)
    .orderBy("completed_at")
    .execute();
  return rows.map((row) => required(parseUuid<EnvelopeId>(row.envelope_id)));
}

/** Whether the ledger has an envelope of the link that completed at the moment or later. */
export async function hasCompletedSince(db: Kysely<DB>, linkId: LinkId, moment: Date): Promise<boolean> {
  const row = await db
    .selectFrom("envelope")
    .select("envelope_id")
    .where("link_id", "=", linkId)
    .where("completed_at", ">=", moment)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
