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
import type { ListedPage } from "./list-page.ts";

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

/** Facts of the database about the envelopes of a tenant, by their ids. */
export type KnownFacts = {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly forwardings: ReadonlyMap<string, readonly Forwarding[]>;
  /** Envelopes without an entry that an event has announced. */
  readonly announced: ReadonlySet<string>;
};

/** Decides on listed envelopes from the listing alone, without a call. Changes nothing. */
export async function judgeListed(
  { db }: Uses<"db">,
  link: Link,
  page: Pick<ListedPage, "envelopes" | "readAt">,
): Promise<ListedRow[]> {
  const ids = page.envelopes.map((envelope) => envelope.id);
  const entries = await findEnvelopes(db, link.tenant, ids);
  const unknown = ids.filter((id) => !entries.has(id));
  const announced = await announcedEnvelopes(db, link.id, unknown);
  const forwardings = await listForwardingsOf(db, link.tenant, ids);
  return judgeRows(link, page, { entries, forwardings, announced });
}

/** The same from facts that were read before. */
export function judgeRows(
  link: Link,
  { envelopes, readAt }: Pick<ListedPage, "envelopes" | "readAt">,
  { entries, forwardings, announced }: KnownFacts,
): ListedRow[] {
  return envelopes.map((envelope) => ({
    envelope,
    entry: entries.get(envelope.id),
    ...judge(link, {
      envelope,
      readAt,
      entry: entries.get(envelope.id),
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
