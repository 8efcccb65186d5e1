import { contentDocuments } from "./contract.ts";
import type { Envelope, Forwarding } from "./envelope.ts";
import type { AccountId, UserId } from "./identifiers.ts";
import { judgeReceipt, type Match, type Receipt } from "./receipt.ts";

/** What of a link decides on an envelope; a start of null means all history. */
export type OwningLink = {
  readonly accountId: AccountId;
  readonly userId: UserId;
  /** Null where it is not known: then recipients are matched by id only. */
  readonly userEmail: string | null;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
};

export type OwnershipQuestion = {
  readonly link: OwningLink;
  readonly envelope: Envelope;
  readonly forwardings: readonly Forwarding[];
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

/** What the decision rests on, as plain JSON without e-mail addresses; null is "not known" or "none". */
export type OwnershipFacts = {
  readonly status: string;
  readonly completedAt: string | null;
  readonly sentFrom: string | null;
  readonly receivedFrom: string | null;
  readonly senderAccountId: AccountId | null;
  readonly sentByAccount: boolean | null;
  readonly receivedByUser: boolean | null;
  /** The linked user's entries among the recipients. */
  readonly matched: readonly Match[] | null;
  /** Whom the linked user forwarded the envelope to. */
  readonly forwardedTo: readonly (UserId | null)[] | null;
  readonly contentDocuments: number | null;
  readonly purgeState: string | null;
  readonly qualifies: { readonly sent: boolean | null; readonly received: boolean | null };
};

export type Ownership =
  | { readonly kind: "import"; readonly reason: ImportReason; readonly facts: OwnershipFacts }
  | { readonly kind: "exclude"; readonly reason: ExclusionReason; readonly facts: OwnershipFacts }
  | { readonly kind: "undecided"; readonly reason: UndecidedReason; readonly facts: OwnershipFacts };

/**
 * Whether an envelope is the link's to import (import-rules 1 and 2), and the facts that tell. Undecided only
 * where what is not known could change the outcome.
 */
export function decideOwnership({ link, envelope, forwardings }: OwnershipQuestion): Ownership {
  const receipt = readReceipt(link, envelope, forwardings);
  const facts = gatherFacts(link, envelope, receipt);

  const exclusion = findExclusion(facts, receipt);
  if (exclusion !== null) return { kind: "exclude", reason: exclusion, facts };
  const gap = findGap(facts);
  if (gap !== null) return { kind: "undecided", reason: gap, facts };
  return { kind: "import", reason: nameImport(facts), facts };
}

function readReceipt(
  link: OwningLink,
  envelope: Envelope,
  forwardings: readonly Forwarding[],
): Receipt | null {
  if (envelope.recipients === null) return null;
  const user = { userId: link.userId, email: link.userEmail };
  return judgeReceipt(user, envelope.recipients, forwardings);
}

function gatherFacts(link: OwningLink, envelope: Envelope, receipt: Receipt | null): OwnershipFacts {
  const { completedAt, sender, documents } = envelope;
  const sentByAccount = sender.accountId === null ? null : sender.accountId === link.accountId;
  const receivedByUser = receipt === null ? null : receipt.kind === "own";
  return {
    status: envelope.status,
    completedAt: completedAt?.toISOString() ?? null,
    sentFrom: link.sentFrom?.toISOString() ?? null,
    receivedFrom: link.receivedFrom?.toISOString() ?? null,
    senderAccountId: sender.accountId,
    sentByAccount,
    receivedByUser,
    matched: receipt?.matches ?? null,
    forwardedTo: receipt?.givenTo ?? null,
    contentDocuments: documents === null ? null : contentDocuments(documents).length,
    purgeState: envelope.purgeState,
    qualifies: {
      sent: both(sentByAccount, isSince(completedAt, link.sentFrom)),
      received: both(receivedByUser, isSince(completedAt, link.receivedFrom)),
    },
  };
}

/** The moment itself counts (import-rules 2: 以後). */
function isSince(moment: Date | null, start: Date | null): boolean | null {
  if (start === null) return true;
  return moment === null ? null : moment.getTime() >= start.getTime();
}

function both(one: boolean | null, other: boolean | null): boolean | null {
  if (one === false || other === false) return false;
  return one === null || other === null ? null : true;
}

function findExclusion(facts: OwnershipFacts, receipt: Receipt | null): ExclusionReason | null {
  if (facts.status !== "completed") return "not-completed";
  if (facts.qualifies.sent === false && facts.qualifies.received === false) return whyNeither(facts, receipt);
  if (isPurged(facts.purgeState)) return "documents-purged";
  return facts.contentDocuments === 0 ? "no-documents" : null;
}

function whyNeither(facts: OwnershipFacts, receipt: Receipt | null): ExclusionReason {
  if (facts.sentByAccount !== false || facts.receivedByUser !== false) return "before-window";
  return receipt?.kind === "forwarded" ? "forwarded-to-user" : "not-ours";
}

/** DocuSign has several kinds of purge; what is only queued can still be read, and "unpurged" is no purge. */
function isPurged(purgeState: string | null): boolean {
  return purgeState?.toLowerCase().endsWith("_purged") ?? false;
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
