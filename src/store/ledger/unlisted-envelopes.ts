import { type Kysely, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";

export type ListedStretch = {
  readonly linkId: LinkId;
  /** Only envelopes that this link judged: facts of an earlier link may concern a different account. */
  readonly decidedSince: Date;
  /** The listed side: what the account sent, or what the user received from other accounts. */
  readonly sentByAccount: boolean;
  /** Period of completion; `to` is inclusive only if stated. */
  readonly from: Date;
  readonly to: Date;
  readonly toIncluded: boolean;
  readonly listedIds: readonly EnvelopeId[];
};

/** Returns ledger envelopes that completed in a fully listed period but are missing from the listing. */
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

/** Returns true if the ledger has an envelope of the link that completed at the given time or later. */
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
