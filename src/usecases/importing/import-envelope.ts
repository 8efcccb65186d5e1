import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { WaitingCause } from "../../domain/link-wait.ts";
import { decideOwnership } from "../../domain/ownership.ts";
import type { Pace } from "../../domain/pace.ts";
import { nextAttempt } from "../../domain/retries.ts";
import type { Database } from "../../store/database.ts";
import { findImportFacts, type ImportFacts } from "../../store/import-facts.ts";
import { claimEnvelope, postponeEnvelope, reopenEnvelope } from "../../store/ledger/claims.ts";
import type { FoundBy, LedgerEntry } from "../../store/ledger/envelopes.ts";
import { findImportStanding } from "../../store/links/import-standing.ts";
import { removeNotice } from "../../store/links/link-notices.ts";
import type { Link } from "../../store/links/links.ts";
import { withSession } from "../../store/locks.ts";
import { forgetOutage, type Outage } from "../../store/outages.ts";
import type { CallKind, Uses } from "../capabilities.ts";
import { type Commit, commitSingly } from "./commit-batch.ts";
import { ownershipView } from "./decide.ts";
import { whyStoreWaits } from "./document-store.ts";
import { excludeEnvelope } from "./exclude-envelope.ts";
import { isImporting } from "./first-import.ts";
import { settleMembers } from "./group-members.ts";
import { postponeAfterFault } from "./import-faults.ts";
import { isFresh, type ReadEnvelope, readListing } from "./listed-envelope.ts";
import type { ImportOutcome } from "./outcome.ts";
import { refreshListings } from "./refresh-listings.ts";
import { type Import, takeIn } from "./take-in.ts";

/** The dependencies of every import. */
export type ImportUses = Uses<
  | "adminProfiles"
  | "budgets"
  | "db"
  | "documents"
  | "log"
  | "notifier"
  | "now"
  | "openAccount"
  | "prepareTokens"
>;

export type ImportRequest = {
  readonly linkId: LinkId;
  readonly envelopeId: EnvelopeId;
  readonly foundBy: FoundBy;
};

/** After this long, an envelope whose import has not ended is due again: the process may have died. */
export const LEASE_MS = 2 * 60 * 1000;

/**
 * Imports one envelope if it is the link's. DocuSign's API decides that, not the event (import-rules 1 and 2). Each
 * content document becomes one contract (import-rules 4). Contracts and ledger are written in one commit.
 * Idempotent, also when called concurrently. Faults end as `waiting`. Throws only if the wait itself cannot be
 * recorded.
 */
export async function importEnvelope(deps: ImportUses, request: ImportRequest): Promise<ImportOutcome> {
  return await withSession(deps.db, async (session) => await importAlone(deps, session, request));
}

async function importAlone(
  deps: ImportUses,
  session: Database,
  request: ImportRequest,
): Promise<ImportOutcome> {
  const now = deps.now();
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  const [entry, standing] = await Promise.all([
    claimEnvelope(session, { ...request, now, leaseUntil }),
    findImportStanding(deps.db, request.linkId),
  ]);
  if (standing === null || standing.link.state === "ended") return { kind: "link-ended" };
  if (entry === null) return { kind: "busy" };
  if (entry.state === "imported" || entry.state === "deleted") return { kind: "settled" };
  const { link, budget, outage, tokens } = standing;
  const pace = deps.budgets.paceBy(link.account.id, "other", budget);
  const cause = whyWait({ link, pace, outage, now });
  if (cause !== null) return await wait(session, entry, cause);
  using _tokens = deps.prepareTokens([tokens]);
  const account = deps.openAccount(link, undefined, kindOfCalls(link, entry));
  const isAfterOutage = outage !== null;
  const claimed = { link, entry, account, facts: null, isAfterOutage, session };
  return await importClaimed(deps, claimed, commitSingly({ db: session, now: deps.now }));
}

export type ClaimedImport = Pick<Import, "link" | "entry" | "account"> & {
  /** As they were when the envelope was claimed, or later; null if they must be read. */
  readonly facts: ImportFacts | null;
  readonly isAfterOutage: boolean;
  /** Holds the envelope's lock. */
  readonly session: Database;
};

/** Imports an envelope that the caller has claimed and locked. A fault is recorded even if the session is lost. */
export async function importClaimed(
  deps: ImportUses,
  { facts, isAfterOutage, session, ...claimed }: ClaimedImport,
  commit: Commit,
): Promise<ImportOutcome> {
  const work = { ...claimed, commit };
  const { link } = work;
  const reading: Reading = { last: readListing(work.entry), facts };
  try {
    const outcome = await readAndJudge({ ...deps, db: session }, work, reading);
    if (isAfterOutage && outcome.kind === "imported") await forgetOutage(deps.db);
    await noteAnswer(deps.db, link);
    return outcome;
  } catch (error) {
    const envelope = reading.last?.envelope ?? null;
    return await postponeAfterFault(deps, { ...work, envelope }, error);
  }
}

async function noteAnswer(db: Database, { id, notice }: Link): Promise<void> {
  if (notice?.code === "docusign-unavailable") await removeNotice(db, id, notice.code);
}

/** The envelope as DocuSign last returned it; null before its first answer. The facts are never older than the answer. */
type Reading = { last: ReadEnvelope | null; facts: ImportFacts | null };

/** Reads the envelope again as often as its documents may have been purged since. */
async function readAndJudge(
  deps: Uses<"db" | "documents" | "log" | "notifier" | "now">,
  work: Pick<Import, "link" | "entry" | "account" | "commit">,
  reading: Reading,
): Promise<ImportOutcome> {
  const { tenant, envelopeId, listing } = work.entry;
  for (;;) {
    if (reading.last === null) {
      const envelope = await work.account.getEnvelope(envelopeId);
      reading.last = { envelope, readAt: deps.now() };
      reading.facts = null;
    }
    const { last } = reading;
    reading.facts ??= await findImportFacts(deps.db, tenant, envelopeId);
    const outcome = await judge(deps, { ...work, ...last, facts: reading.facts });
    if (outcome !== "ask-again") return outcome;
    reading.last = null;
    reading.facts = null;
    if (listing !== null && !isFresh(last.readAt, deps.now()))
      reading.last = await refreshListings(deps, work);
  }
}

/** Returns what keeps every envelope of the link waiting, or null. */
function whyWait(facts: { link: Link; pace: Pace; outage: Outage | null; now: Date }): WaitingCause | null {
  if (!isImporting(facts.link)) return { reason: "queued", until: facts.now };
  const { pace } = facts;
  if (pace.kind === "wait") return { reason: "account-throttled", until: pace.until };
  return whyStoreWaits(facts.outage, facts.now);
}

/** Envelopes that events or later reconciliations find during a first import do not count as part of it. */
export function kindOfCalls({ firstImport }: Link, { foundBy, foundAt }: LedgerEntry): CallKind {
  if (foundBy !== "reconciliation" || firstImport.doneAt !== null) return "other";
  return firstImport.listedAt === null || foundAt <= firstImport.listedAt ? "first-import" : "other";
}

async function judge(
  deps: Uses<"db" | "documents" | "log" | "notifier" | "now">,
  work: Omit<Import, "decision">,
): Promise<ImportOutcome | "ask-again"> {
  const { link, entry, envelope, facts } = work;
  const groupMembers = await settleMembers(deps.db, entry, envelope);
  const { forwardings } = facts;
  const decision = decideOwnership({ link: ownershipView(link), envelope, forwardings, groupMembers });
  switch (decision.kind) {
    case "import":
      if (entry.state === "excluded")
        await reopenEnvelope(deps.db, { ...entry, dueAt: new Date(deps.now().getTime() + LEASE_MS) });
      return await takeIn(deps, { ...work, decision });
    case "exclude":
      return await excludeEnvelope(deps, link, {
        envelopeId: entry.envelopeId,
        reason: decision.reason,
        completedAt: envelope.status === "completed" ? envelope.completedAt : null,
        facts: decision.facts,
      });
    case "undecided":
      return await wait(deps.db, entry, {
        reason: decision.reason,
        until: nextAttempt(entry.attempts, deps.now()),
      });
  }
}

/** Only a wait for missing information counts as an attempt. */
async function wait(
  db: Database,
  entry: LedgerEntry,
  { reason, until, code }: WaitingCause,
): Promise<ImportOutcome> {
  await postponeEnvelope(db, {
    ...entry,
    reason,
    until,
    error: code ?? null,
    countsAsAttempt: reason.endsWith("unknown"),
  });
  return { kind: "waiting", reason, until };
}
