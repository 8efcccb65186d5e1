import type { AccountId, EnvelopeId, UserId } from "./identifiers.ts";

/** Someone DocuSign knows by user id, by e-mail address, or by both. */
export type Person = { readonly userId: UserId | null; readonly email: string | null };

/** One place in the routing of an envelope, as DocuSign lists it now. */
export type Recipient = Person & {
  /** DocuSign's name of the recipient group: `signers`, `carbonCopies`, … an open set. */
  readonly group: string;
  /** The sender-chosen number, unique in the envelope only. */
  readonly recipientId: string | null;
  readonly recipientGuid: string | null;
  /** Whose place this recipient took by delegation. */
  readonly delegatedBy: Person | null;
  /** Who took this recipient's place by delegation. */
  readonly delegatedTo: readonly Person[];
};

/** A recorded `recipient-reassign` or `recipient-delegate`: the place went from one person to another. */
export type Forwarding = {
  readonly from: Person & { readonly recipientId: string | null };
  readonly to: Person & { readonly recipientId: string | null };
};

export type EnvelopeDocument = {
  readonly documentId: string;
  readonly documentGuid: string | null;
  readonly name: string;
  /** `content`, `summary` (the certificate of completion), or what DocuSign may add. */
  readonly type: string;
  readonly pages: number | null;
};

export type Sender = Person & { readonly accountId: AccountId | null };

/** What DocuSign's API says of an envelope; null lists mean that the answer did not hold them. */
export type Envelope = {
  readonly id: EnvelopeId;
  /** Lower case: `completed`, `voided`, … */
  readonly status: string;
  readonly completedAt: Date | null;
  readonly subject: string | null;
  readonly sender: Sender;
  readonly recipients: readonly Recipient[] | null;
  readonly documents: readonly EnvelopeDocument[] | null;
  readonly purgeState: string | null;
};
