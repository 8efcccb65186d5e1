import type { EnvelopeId } from "../../domain/identifiers.ts";
import { areSameStarts } from "../../domain/window.ts";
import type { Decision } from "../../store/ledger/envelopes.ts";
import { settleEnvelope } from "../../store/ledger/settlements.ts";
import { lockLink } from "../../store/links/link-writes.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import type { ImportOutcome } from "./outcome.ts";

export type Exclusion = Omit<Decision, "state"> & { readonly envelopeId: EnvelopeId };

/**
 * Excludes an envelope from the link's import and records the reason. Does nothing if the link has ended meanwhile:
 * the ledger entry may belong to the next link, whose user and dates may differ. If its start date has moved meanwhile, the
 * envelope waits to be judged again.
 */
export async function excludeEnvelope(
  { db, now }: Uses<"db" | "now">,
  judged: Link,
  exclusion: Exclusion,
): Promise<ImportOutcome> {
  return await db.transaction().execute(async (tx) => {
    const link = await lockLink(tx, judged.id, "share");
    if (link === null || link.state === "ended") return { kind: "link-ended" };
    if (!areSameStarts(link, judged)) return { kind: "waiting", reason: "queued", until: now() };
    const { id: linkId, tenant } = link;
    await settleEnvelope(tx, { ...exclusion, tenant, linkId, now: now(), state: "excluded" });
    return { kind: "excluded", reason: exclusion.reason };
  });
}
