import { DocuSignFault, isEnding, isOurCredentialsFault } from "../../docusign/faults/faults.ts";
import type { Envelope } from "../../domain/envelope.ts";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import { isPurged, isPurgeQueued } from "../../domain/purge.ts";
import { findEnvelope } from "../../store/ledger/envelopes.ts";
import { listStale, replaceStale } from "../../store/ledger/listings.ts";
import { inTurn } from "../../store/locks.ts";
import type { Uses } from "../capabilities.ts";
import { isFresh, type ReadEnvelope, readListing, staleBefore, writeListing } from "./listed-envelope.ts";
import type { Import } from "./take-in.ts";

/** One call reads this many envelopes again. */
const TOGETHER = 48;
const SECOND_MS = 1_000;

type Work = Pick<Import, "link" | "entry" | "account">;

/**
 * Reads an envelope again whose listed data is stale, and with it those of the link's backlog that come next: one call for
 * all. Other imports of the link wait on their sessions for the answer, and use it; so the database must be one session.
 * Returns null if the envelope must be read by itself: DocuSign did not list it, refused the call, or no other envelope of
 * the link needs it.
 */
export async function refreshListings(
  { db: session, now }: Uses<"db" | "now">,
  work: Work,
): Promise<ReadEnvelope | null> {
  const { link, entry } = work;
  return await inTurn(session, `refresh ${link.id}`, async () => {
    const before = staleBefore(now());
    const current = await findEnvelope(session, entry.tenant, entry.envelopeId);
    const known = current && readListing(current);
    if (known === null || isFresh(known.readAt, now())) return known;
    if (entry.completedAt === null) return null;
    const stale = { linkId: link.id, sent: isSent(entry.facts), before };
    const others = (await listStale(session, stale, { now: now(), limit: TOGETHER })).filter(
      ({ envelopeId }) => envelopeId !== entry.envelopeId,
    );
    if (others.length === 0) return null;
    const batch = [{ ...entry, completedAt: entry.completedAt }, ...others.slice(0, TOGETHER - 1)];
    const listed = await list(work, batch, stale.sent);
    const readAt = now();
    const fresh = batch.map(({ envelopeId: id }) => [id, writeComplete(listed.get(id), readAt)] as const);
    await replaceStale(session, stale, new Map(fresh));
    const envelope = listed.get(entry.envelopeId);
    return envelope === undefined || !isComplete(envelope) ? null : { envelope, readAt };
  });
}

function isSent(facts: unknown): boolean {
  return (
    typeof facts === "object" && facts !== null && "sentByAccount" in facts && facts.sentByAccount === true
  );
}

/** Lists the envelopes; none if DocuSign refuses or cannot finish this call. Faults that also stop other calls are thrown. */
async function list(
  { account }: Work,
  batch: readonly { readonly envelopeId: EnvelopeId; readonly completedAt: Date }[],
  sent: boolean,
): Promise<ReadonlyMap<EnvelopeId, Envelope>> {
  const completions = batch.map(({ completedAt }) => completedAt.getTime());
  try {
    const envelopes = await account.listChosen({
      ids: batch.map(({ envelopeId }) => envelopeId),
      from: new Date(Math.min(...completions) - SECOND_MS),
      to: new Date(Math.max(...completions) + SECOND_MS),
      receivedOnly: !sent,
    });
    return new Map(envelopes.map((envelope) => [envelope.id, envelope]));
  } catch (error) {
    if (!(error instanceof DocuSignFault) || stopsOthers(error)) throw error;
    return new Map();
  }
}

function stopsOthers(fault: DocuSignFault): boolean {
  return (
    fault.kind === "throttled" ||
    fault.kind === "authorization-gone" ||
    isEnding(fault) ||
    isOurCredentialsFault(fault)
  );
}

/** A row that shows less, or a purge, decides nothing: the envelope is read by itself. */
function isComplete({ status, recipients, documents, purgeState }: Envelope): boolean {
  if (isPurged(purgeState) || isPurgeQueued(purgeState)) return false;
  return status === "completed" && recipients !== null && documents !== null;
}

function writeComplete(envelope: Envelope | undefined, readAt: Date): object | null {
  return envelope === undefined || !isComplete(envelope) ? null : writeListing(envelope, readAt);
}
