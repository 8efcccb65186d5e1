import type { Envelope, Forwarding, Person } from "./envelope.ts";
import { gatherFacts, type OwnershipFacts, type OwningLink } from "./ownership-facts.ts";
import { isPurged } from "./purge.ts";
import { judgeReceipt, type Receipt } from "./receipt.ts";

export type OwnershipQuestion = {
  readonly link: OwningLink;
  readonly envelope: Envelope;
  readonly forwardings: readonly Forwarding[];
  /** The members of signing groups at the first judgement. */
  readonly groupMembers: readonly Person[];
};

export type ImportReason = "sent" | "received" | "sent-and-received";

export type ExclusionReason =
  | "not-completed"
  | "not-ours"
  | "forwarded-to-user"
  | "before-window"
  | "documents-purged"
  | "no-documents";

export type UndecidedReason =
  | "completion-unknown"
  | "sender-unknown"
  | "recipients-unknown"
  | "documents-unknown";

export type Ownership =
  | { readonly kind: "import"; readonly reason: ImportReason; readonly facts: OwnershipFacts }
  | { readonly kind: "exclude"; readonly reason: ExclusionReason; readonly facts: OwnershipFacts }
  | { readonly kind: "undecided"; readonly reason: UndecidedReason; readonly facts: OwnershipFacts };

/**
 * Decides whether the link imports an envelope (import-rules 1 and 2), and returns the facts behind the decision.
 * Undecided only if missing facts could change the outcome.
 */
export function decideOwnership(question: OwnershipQuestion): Ownership {
  const { link, envelope } = question;
  const receipt = readReceipt(question);
  const facts = gatherFacts(link, envelope, receipt);

  const exclusion = findExclusion(facts, receipt);
  if (exclusion !== null) return { kind: "exclude", reason: exclusion, facts };
  const gap = findGap(facts);
  if (gap !== null) return { kind: "undecided", reason: gap, facts };
  return { kind: "import", reason: nameImport(facts), facts };
}

function readReceipt({ link, envelope, forwardings, groupMembers }: OwnershipQuestion): Receipt | null {
  if (envelope.recipients === null) return null;
  const user = { userId: link.userId, email: link.userEmail };
  return judgeReceipt(user, envelope.recipients, forwardings, groupMembers);
}

function findExclusion(facts: OwnershipFacts, receipt: Receipt | null): ExclusionReason | null {
  if (facts.status !== "completed") return "not-completed";
  if (facts.qualifies.sent === false && facts.qualifies.received === false) return whyNeither(facts, receipt);
  if (isPurged(facts.purgeState)) return "documents-purged";
  return facts.contentDocuments === 0 ? "no-documents" : null;
}

function whyNeither(facts: OwnershipFacts, receipt: Receipt | null): ExclusionReason {
  if (facts.sentByAccount !== false || facts.receivedByUser !== false) return "before-window";
  // Stryker disable next-line OptionalChaining: without a receipt it is unknown who received, so this is not reached
  return receipt?.kind === "forwarded" ? "forwarded-to-user" : "not-ours";
}

function findGap(facts: OwnershipFacts): UndecidedReason | null {
  const { sent, received } = facts.qualifies;
  if (facts.completedAt === null) return "completion-unknown";
  if (!sent && !received) return sent === null ? "sender-unknown" : "recipients-unknown";
  return facts.contentDocuments === null ? "documents-unknown" : null;
}

function nameImport({ qualifies }: OwnershipFacts): ImportReason {
  if (qualifies.sent && qualifies.received) return "sent-and-received";
  return qualifies.sent ? "sent" : "received";
}
