import { z } from "zod";
import { explain, type Language, parseFinding } from "../../domain/explanation.ts";
import type { Finding, Outcome } from "../../domain/finding.ts";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { WaitingCause } from "../../domain/link-wait.ts";
import { contractsOfEnvelope, type StoredContract } from "../../store/contracts/contracts.ts";
import { eventsOfEnvelope, type RecordedEvent } from "../../store/events/events.ts";
import { findEnvelope, type LedgerEntry } from "../../store/ledger/envelopes.ts";
import { findCurrentLink, findLink, type Link } from "../../store/links/links.ts";
import { findImportJob } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { findLinkWait } from "../importing/waiting-cause.ts";
import { type Asker, predictEnvelope, type Verdict } from "./predict-envelope.ts";

type Deps = Uses<"budgets" | "db" | "importTiming" | "now" | "openAccount">;

/** Everything known about one envelope (import-rules 6). Holds no e-mail address. */
export type Explanation = {
  readonly envelopeId: EnvelopeId;
  readonly outcome: Outcome;
  /** A stable code. */
  readonly reason: string;
  /** For the customer, in their language. */
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** In order of receipt. */
  readonly events: readonly Pick<RecordedEvent, "event" | "format" | "generatedAt" | "receivedAt">[];
  /** Includes deleted contracts. */
  readonly contracts: readonly StoredContract[];
  readonly attempts: number;
  readonly lastAttemptAt: Date | null;
  /** The error code of the last attempt, from DocuSign or from us. */
  readonly lastError: string | null;
  /** The link that decided last; null if the ledger has no entry. */
  readonly linkId: LinkId | null;
  readonly decidedAt: Date | null;
  readonly waitingFor: WaitingCause | null;
};

export type Question = {
  readonly tenant: string;
  readonly envelopeId: EnvelopeId;
  readonly asker: Asker;
};

/**
 * Explains why an envelope was or was not imported, and what it waits for. If the ledger has no entry, fetches the
 * envelope from DocuSign and predicts the outcome. Never imports anything. Returns null if neither side knows the
 * envelope.
 */
export async function explainEnvelope(
  deps: Deps,
  { tenant, envelopeId, asker }: Question,
  language: Language,
): Promise<Explanation | null> {
  const events = await eventsOfEnvelope(deps.db, tenant, envelopeId);
  const entry = await findEnvelope(deps.db, tenant, envelopeId);
  const verdict =
    entry === null
      ? await judgeUnrecorded(deps, { tenant, envelopeId, asker, events })
      : await judgeEntry(deps, entry);
  if (verdict === null) return null;
  return {
    envelopeId,
    ...verdict.finding,
    text: describe(verdict, language),
    facts: { ...verdict.facts },
    events: events.map(({ event, format, generatedAt, receivedAt }) => ({
      event,
      format,
      generatedAt,
      receivedAt,
    })),
    contracts: (await contractsOfEnvelope(deps.db, tenant, envelopeId)).map(withoutAddresses),
    ...(entry === null ? NOTHING : describeRecord(entry)),
    ...describeWait(verdict, entry),
  };
}

/** The document store's error code is shown for envelopes that have not been tried either. */
function describeWait(
  { waiting }: Verdict,
  entry: LedgerEntry | null,
): Pick<Explanation, "waitingFor" | "lastError"> {
  const lastError = waiting?.code ?? entry?.lastError ?? null;
  return { waitingFor: waiting && { reason: waiting.reason, until: waiting.until }, lastError };
}

/** Explanations may be sent to people outside (import-rules 6). */
function withoutAddresses(contract: StoredContract): StoredContract {
  const { source } = contract;
  const sender = source.sender === null ? null : { ...source.sender, email: null };
  const recipients = source.recipients?.map((recipient) => ({ ...recipient, email: null })) ?? null;
  return { ...contract, source: { ...source, sender, recipients } };
}

type Recorded = Pick<Explanation, "attempts" | "lastAttemptAt" | "linkId" | "decidedAt">;

const NOTHING: Recorded = {
  attempts: 0,
  lastAttemptAt: null,
  linkId: null,
  decidedAt: null,
};

function describeRecord({ attempts, lastAttemptAt, linkId, decidedAt }: LedgerEntry): Recorded {
  return { attempts, lastAttemptAt, linkId, decidedAt };
}

async function judgeEntry(deps: Uses<"budgets" | "db" | "now">, entry: LedgerEntry): Promise<Verdict> {
  const link = await findLink(deps.db, entry.linkId);
  const facts = typeof entry.facts === "object" && entry.facts !== null ? entry.facts : {};
  if (entry.state !== "waiting") return { finding: settledFinding(entry, link), facts, waiting: null };
  const foundBy = entry.foundBy === "reconciliation" ? "listing" : "event";
  const waiting = (await findLinkWait(deps, link, foundBy)) ?? ownWait(entry, deps.now());
  return { finding: { outcome: "waiting", reason: waiting.reason }, facts, waiting };
}

/**
 * If an earlier link imported the envelope, the current link found its contracts already there (import-rules 2.2).
 */
function settledFinding(entry: LedgerEntry, link: Link | null): Finding {
  const byEarlier = link !== null && entry.decidedAt !== null && entry.decidedAt < link.linkedAt;
  if (entry.state === "imported" && byEarlier) return { outcome: "imported", reason: "already" };
  return requireFinding(entry);
}

function ownWait(entry: LedgerEntry, now: Date): WaitingCause {
  const finding = requireFinding(entry);
  if (finding.outcome !== "waiting") throw new Error("the finding of a waiting envelope is not waiting");
  return { reason: finding.reason, until: ahead(entry.waitingUntil, now) };
}

function requireFinding(entry: LedgerEntry): Finding {
  const finding = parseFinding(entry.state, entry.reason);
  if (finding === null) throw new Error(`the ledger holds an unknown reason: ${entry.state} ${entry.reason}`);
  return finding;
}

/** Drops times in the past: the envelope is due and is only waiting for its turn. */
function ahead(moment: Date | null, now: Date): Date | null {
  return moment !== null && moment > now ? moment : null;
}

type Unrecorded = Question & { readonly events: readonly RecordedEvent[] };

/** Looks for an announced import that has not run yet; otherwise fetches the envelope from DocuSign. */
async function judgeUnrecorded(deps: Deps, about: Unrecorded): Promise<Verdict | null> {
  const link = await findCurrentLink(deps.db, about.tenant);
  if (link === null) return judgeWithoutLink(about.events);
  const job = await findImportJob(deps.db, link.id, about.envelopeId);
  if (job !== null) {
    const waiting = (await findLinkWait(deps, link, "event")) ?? queuedWait(deps, job.runAt);
    return { finding: { outcome: "waiting", reason: waiting.reason }, facts: {}, waiting };
  }
  const verdict = await predictEnvelope(deps, link, { ...about, heardAt: about.events.at(-1)?.receivedAt });
  return verdict.finding.reason === "not-found" && about.events.length === 0 ? null : verdict;
}

function queuedWait(deps: Uses<"importTiming" | "now">, runAt: Date): WaitingCause {
  const until = ahead(runAt, deps.now());
  return { reason: until !== null && deps.importTiming === "hourly" ? "hourly-timing" : "queued", until };
}

function judgeWithoutLink(events: readonly RecordedEvent[]): Verdict | null {
  if (events.length === 0) return null;
  const isCompleted = events.some(({ event }) => event === "envelope-completed");
  if (!isCompleted)
    return { finding: { outcome: "unknown", reason: "never-seen" }, facts: {}, waiting: null };
  const waiting = { reason: "link-ended", until: null } as const;
  return { finding: { outcome: "waiting", reason: waiting.reason }, facts: {}, waiting };
}

/** Describes the verdict for the customer. If the outcome is unknown, adds why DocuSign could not be consulted. */
function describe({ finding, facts, waiting }: Verdict, language: Language): string {
  const mentioned = { ...MENTIONED.parse(facts), waitingUntil: waiting?.until?.toISOString() ?? null };
  const text = explain(finding.outcome, finding.reason, mentioned, language);
  if (finding.outcome !== "unknown" || waiting === null) return text;
  return `${text}${language === "ja" ? "" : " "}${explain("waiting", waiting.reason, mentioned, language)}`;
}

const text = z.string().nullable().catch(null);
const flag = z.boolean().nullable().catch(null);
/** The facts that a sentence may mention. */
const MENTIONED = z.object({
  status: text,
  completedAt: text,
  sentFrom: text,
  receivedFrom: text,
  sentByAccount: flag,
  receivedByUser: flag,
});
