import type { EnvelopeId } from "../../domain/identifiers.ts";
import type { Decision } from "../../store/ledger/envelopes.ts";
import { settleEnvelope } from "../../store/ledger/settlements.ts";
import { lockLink } from "../../store/links/link-writes.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";

export type Exclusion = Omit<Decision, "state"> & { readonly envelopeId: EnvelopeId };

/**
 * Excludes an envelope from the link's import and records the reason. Does nothing if the link has ended meanwhile:
 * the ledger entry may belong to the next link, whose user and dates may differ.
 */
export async function excludeEnvelope(
  { db, now }: Uses<"db" | "now">,
  { id, tenant }: Pick<Link, "id" | "tenant">,
  exclusion: Exclusion,
): Promise<{ kind: "excluded"; reason: string } | { kind: "link-ended" }> {
  return await db.transaction().execute(async (tx) => {
    const link = await lockLink(tx, id, "share");
    if (link === null || link.state === "ended") return { kind: "link-ended" };
    await settleEnvelope(tx, { ...exclusion, tenant, linkId: id, now: now(), state: "excluded" });
    return { kind: "excluded", reason: exclusion.reason };
  });
}
