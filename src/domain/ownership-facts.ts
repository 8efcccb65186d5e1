import { contentDocuments } from "./contract.ts";
import type { Envelope } from "./envelope.ts";
import type { AccountId, UserId } from "./identifiers.ts";
import type { Match, Receipt } from "./receipt.ts";

/** The properties of a link that decide on an envelope. A start of null means all history. */
export type OwningLink = {
  readonly accountId: AccountId;
  readonly userId: UserId;
  /** Null if unknown; recipients are then matched by id only. */
  readonly userEmail: string | null;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
};

/** The facts behind a decision, as plain JSON without e-mail addresses. Null means unknown or none. */
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
  /** The persons to whom the linked user forwarded the envelope. */
  readonly forwardedTo: readonly (UserId | null)[] | null;
  readonly contentDocuments: number | null;
  readonly purgeState: string | null;
  readonly qualifies: { readonly sent: boolean | null; readonly received: boolean | null };
};

/** Collects the facts of one link and one envelope. `receipt` is null if the recipients are unknown. */
export function gatherFacts(link: OwningLink, envelope: Envelope, receipt: Receipt | null): OwnershipFacts {
  const { completedAt, sender } = envelope;
  const sentByAccount = sender.accountId === null ? null : sender.accountId === link.accountId;
  const receivedByUser = receipt === null ? null : receipt.kind === "own";
  return {
    status: envelope.status,
    completedAt: inWords(completedAt),
    sentFrom: inWords(link.sentFrom),
    receivedFrom: inWords(link.receivedFrom),
    senderAccountId: sender.accountId,
    sentByAccount,
    receivedByUser,
    matched: receipt?.matches ?? null,
    forwardedTo: receipt?.givenTo ?? null,
    contentDocuments: countContent(envelope.documents),
    purgeState: envelope.purgeState,
    qualifies: {
      sent: both(sentByAccount, isSince(completedAt, link.sentFrom)),
      received: both(receivedByUser, isSince(completedAt, link.receivedFrom)),
    },
  };
}

function inWords(moment: Date | null): string | null {
  return moment?.toISOString() ?? null;
}

function countContent(documents: Envelope["documents"]): number | null {
  return documents === null ? null : contentDocuments(documents).length;
}

/** Inclusive (import-rules 2: 以後). */
function isSince(moment: Date | null, start: Date | null): boolean | null {
  if (start === null) return true;
  return moment === null ? null : moment.getTime() >= start.getTime();
}

function both(one: boolean | null, other: boolean | null): boolean | null {
  if (one === false || other === false) return false;
  return one === null || other === null ? null : true;
}
