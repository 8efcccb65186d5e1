import type { AccountId, EnvelopeId, UserId } from "./identifiers.ts";

/** A person whom DocuSign identifies by user id, by e-mail address, or by both. */
export type Person = { readonly userId: UserId | null; readonly email: string | null };

/** One place in the routing of an envelope, as DocuSign lists it now. */
export type Recipient = Person & {
  /** DocuSign's name of the recipient group: `signers`, `carbonCopies`, …; an open set. */
  readonly group: string;
  /** A number that the sender chose; unique only within the envelope. */
  readonly recipientId: string | null;
  readonly recipientGuid: string | null;
  /** The person who delegated this place to the recipient. */
  readonly delegatedBy: Person | null;
  /** The persons to whom the recipient delegated this place. */
  readonly delegatedTo: readonly Person[];
};

/** A recorded `recipient-reassign` or `recipient-delegate` event: a place went from one person to another. */
export type Forwarding = {
  readonly from: Person & { readonly recipientId: string | null };
  readonly to: Person & { readonly recipientId: string | null };
};

export type EnvelopeDocument = {
  readonly documentId: string;
  readonly documentGuid: string | null;
  readonly name: string;
  /** `content`, `summary` (the certificate of completion), or a type that DocuSign may add. */
  readonly type: string;
  readonly pages: number | null;
};

export type Sender = Person & { readonly accountId: AccountId | null };

/** A person's name and address as DocuSign shows them. The rules do not use them. */
export type Contact = { readonly name: string | null; readonly email: string | null };

export type RecipientContact = Contact & {
  /** DocuSign's recipient type in the singular: `signer`, `carbonCopy`, …; an open set. */
  readonly role: string;
  readonly completedAt: Date | null;
};

/** Who concluded the contract, for display and search. Null if DocuSign did not show it. */
export type Parties = {
  readonly sender: Contact | null;
  readonly recipients: readonly RecipientContact[] | null;
};

/** An envelope as DocuSign's API returned it. A list is null if the answer did not contain it. */
export type Envelope = {
  readonly id: EnvelopeId;
  /** Lower case: `completed`, `voided`, … */
  readonly status: string;
  readonly completedAt: Date | null;
  readonly subject: string | null;
  readonly sender: Sender;
  readonly recipients: readonly Recipient[] | null;
  /** The members of the recipients that are signing groups, as DocuSign lists them now; null if no recipient is one. */
  readonly groupMembers: readonly Person[] | null;
  readonly parties: Parties;
  readonly documents: readonly EnvelopeDocument[] | null;
  readonly purgeState: string | null;
  /** True if another site of DocuSign holds the documents and may refuse them. */
  readonly isOnAnotherSite: boolean;
};
