import { faultFacts } from "../../docusign/faults/fault-facts.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { decideFault } from "../../domain/fault-policy.ts";
import type { Finding } from "../../domain/finding.ts";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import type { WaitingCause } from "../../domain/link-wait.ts";
import type { Ownership } from "../../domain/ownership.ts";
import { nextFullHour } from "../../domain/schedule.ts";
import type { Link } from "../../store/links/links.ts";
import { findMiss, noteMiss } from "../../store/links/look-ups.ts";
import type { Uses } from "../capabilities.ts";
import { decide } from "../importing/decide.ts";
import { findLinkWait, findQuestionWait } from "../importing/waiting-cause.ts";

/** The decision on an envelope. `waiting` is what must pass before more is known or done. */
export type Verdict = {
  readonly finding: Finding;
  readonly facts: object;
  readonly waiting: WaitingCause | null;
};

/** Look-ups of readers are limited (service-2, section 3); operators are trusted with the account's calls. */
export type Asker = "reader" | "operator";

const KIND_OF_CALLS = { reader: "look-up", operator: "other" } as const;

type Question = {
  readonly envelopeId: EnvelopeId;
  readonly asker: Asker;
  /** When the latest event of the envelope arrived. */
  readonly heardAt: Date | undefined;
};

const NEVER_SEEN: Finding = { outcome: "unknown", reason: "never-seen" };
const NOT_FOUND: Verdict = {
  finding: { outcome: "unknown", reason: "not-found" },
  facts: {},
  waiting: null,
};

/**
 * Predicts the outcome for an envelope without a ledger entry. Fetches it from DocuSign, within the account's budget,
 * and applies the import rules. Imports nothing. For readers, an envelope that DocuSign does not find is not fetched
 * again for a minute, unless an event of it arrives.
 */
export async function predictEnvelope(
  deps: Uses<"budgets" | "db" | "now" | "openAccount">,
  link: Link,
  question: Question,
): Promise<Verdict> {
  const kind = KIND_OF_CALLS[question.asker];
  const wait = await findQuestionWait(deps, link, kind);
  if (wait !== null) return cannotAsk(wait);
  if (kind === "look-up" && (await isMissing(deps, link, question))) return NOT_FOUND;
  try {
    const envelope = await deps.openAccount(link, undefined, kind).getEnvelope(question.envelopeId);
    return await judge(deps, link, envelope);
  } catch (error) {
    const verdict = await readFault(deps, link, error);
    if (kind === "look-up" && verdict === NOT_FOUND)
      await noteMiss(deps.db, link, question.envelopeId, deps.now());
    return verdict;
  }
}

const MISSING_MS = 60_000;

async function isMissing(
  { db, now }: Uses<"db" | "now">,
  link: Link,
  { envelopeId, heardAt }: Question,
): Promise<boolean> {
  const missedAt = await findMiss(db, link, envelopeId);
  if (missedAt === null || missedAt.getTime() + MISSING_MS <= now().getTime()) return false;
  return heardAt === undefined || heardAt < missedAt;
}

async function judge(deps: Uses<"budgets" | "db" | "now">, link: Link, envelope: Envelope): Promise<Verdict> {
  const decision = await decide(deps.db, link, envelope, envelope.groupMembers ?? []);
  const { facts } = decision;
  if (decision.kind === "exclude") {
    return { finding: { outcome: "excluded", reason: decision.reason }, facts, waiting: null };
  }
  const waiting = (await findLinkWait(deps, link, "listing")) ?? nextChance(decision, deps.now());
  return { finding: { outcome: "waiting", reason: waiting.reason }, facts, waiting };
}

/** No event or reconciliation has found the envelope yet; the next reconciliation will (import-rules 3). */
function nextChance(decision: Ownership, now: Date): WaitingCause {
  const reason = decision.kind === "undecided" ? decision.reason : "hourly-timing";
  return { reason, until: nextFullHour(now) };
}

async function readFault(deps: Uses<"budgets" | "now">, link: Link, error: unknown): Promise<Verdict> {
  const reaction = decideFault(faultFacts(error), { step: "look-up" }, deps.now());
  if (reaction.kind === "not-found") return NOT_FOUND;
  if (reaction.kind !== "wait") throw error;
  const { reason, until, accountPausedUntil } = reaction;
  if (accountPausedUntil !== null) await deps.budgets.pause(link.account.id, accountPausedUntil);
  return cannotAsk({ reason, until });
}

function cannotAsk(waiting: WaitingCause): Verdict {
  return { finding: NEVER_SEEN, facts: {}, waiting };
}
