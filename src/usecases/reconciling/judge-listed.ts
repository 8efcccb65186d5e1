import type { Envelope, Forwarding } from "../../domain/envelope.ts";
import { decideOwnership, type Ownership } from "../../domain/ownership.ts";
import { announcedEnvelopes } from "../../store/events/events.ts";
import { listForwardingsOf } from "../../store/events/forwardings.ts";
import { findEnvelopes, type LedgerEntry } from "../../store/ledger/envelopes.ts";
import type { FoundEnvelope } from "../../store/ledger/settlements.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { ownershipView } from "../importing/decide.ts";
import { countedMembers, membersToKeep } from "../importing/group-members.ts";
import { type ReadEnvelope, writeListing } from "../importing/listed-envelope.ts";

/** A listed envelope with its ledger entry and the decision that follows from the listing. */
export type ListedRow = {
  readonly envelope: Envelope;
  readonly entry: LedgerEntry | undefined;
  readonly decision: Ownership;
  /** The ledger entry that follows from the listing. */
  readonly line: FoundEnvelope;
  /** True if an event announced the envelope and its import has not run yet. */
  readonly announced: boolean;
};

/** Decides on listed envelopes from the listing alone, without a call. Changes nothing. */
export async function judgeListed(
  { db, now }: Uses<"db" | "now">,
  link: Link,
  envelopes: readonly Envelope[],
): Promise<ListedRow[]> {
  const listedAt = now();
  const ids = envelopes.map((envelope) => envelope.id);
  const known = await findEnvelopes(db, link.tenant, ids);
  const unknown = ids.filter((id) => !known.has(id));
  const announced = await announcedEnvelopes(db, link.id, unknown);
  const forwardings = await listForwardingsOf(db, link.tenant, ids);
  return envelopes.map((envelope) => ({
    envelope,
    entry: known.get(envelope.id),
    ...judge(link, {
      envelope,
      readAt: listedAt,
      entry: known.get(envelope.id),
      forwardings: forwardings.get(envelope.id) ?? [],
    }),
    announced: announced.has(envelope.id),
  }));
}

type Listed = ReadEnvelope & Pick<ListedRow, "entry"> & { readonly forwardings: readonly Forwarding[] };

/** If the listing leaves the decision open, the envelope waits: its import fetches the missing facts. */
function judge(link: Link, row: Listed): Pick<ListedRow, "decision" | "line"> {
  const { envelope, readAt, entry, forwardings } = row;
  const groupMembers = countedMembers(entry, envelope);
  const decision = decideOwnership({ link: ownershipView(link), envelope, forwardings, groupMembers });
  const excluded = decision.kind === "exclude";
  const line = {
    envelopeId: envelope.id,
    state: excluded ? "excluded" : "waiting",
    reason: excluded ? decision.reason : "queued",
    completedAt: envelope.completedAt,
    facts: decision.facts,
    groupMembers: membersToKeep(entry, envelope),
    listing: decision.kind === "import" ? writeListing(envelope, readAt) : null,
  } as const;
  return { decision, line };
}
