import type { Envelope, EnvelopeDocument, Forwarding, Person, Recipient } from "../../src/domain/envelope.ts";
import { type AccountId, type EnvelopeId, parseUuid, type UserId } from "../../src/domain/identifiers.ts";
import { decideOwnership, type Ownership } from "../../src/domain/ownership.ts";
import type { OwningLink } from "../../src/domain/ownership-facts.ts";

/** Returns a UUID that ends in these digits. */
function uuid<Id extends EnvelopeId | AccountId | UserId>(digits: string): Id {
  const id = parseUuid<Id>(`00000000-0000-4000-8000-${digits.padStart(12, "0")}`);
  if (id === null) throw new Error(`a UUID cannot end in ${digits}`);
  return id;
}

export const accountA = uuid<AccountId>("a");
export const accountB = uuid<AccountId>("b");
export const accountC = uuid<AccountId>("c");
export const COMPLETED_AT = new Date("2026-02-10T03:04:05.678Z");

/** Returns a DocuSign user with its own id and address. */
export function user(digits: string): { userId: UserId; email: string } {
  return { userId: uuid(digits), email: `user-${digits}@example.com` };
}

/** `u` is the linked user, the others are not. */
export const u = user("1");
export const x = user("2");
export const z = user("3");

export function recipient(person: Person, place: Partial<Recipient> = {}): Recipient {
  return {
    ...person,
    group: "signers",
    recipientId: null,
    recipientGuid: null,
    delegatedBy: null,
    delegatedTo: [],
    ...place,
  };
}

export function carbonCopy(person: Person, place: Partial<Recipient> = {}): Recipient {
  return recipient(person, { group: "carbonCopies", ...place });
}

/** Returns the recorded event that `from` passed its place to `to`, with optional recipient ids. */
export function forwarding(from: Person, to: Person, fromId?: string, toId?: string): Forwarding {
  return { from: { ...from, recipientId: fromId ?? null }, to: { ...to, recipientId: toId ?? null } };
}

export function contentDocument(documentId: string, more: Partial<EnvelopeDocument> = {}): EnvelopeDocument {
  return { documentId, documentGuid: null, name: "秘密保持契約書.pdf", type: "content", pages: 1, ...more };
}

/** Returns a completed envelope with one document, sent by an unknown user to nobody. */
export function envelope(more: Partial<Envelope> = {}): Envelope {
  return {
    id: uuid("e"),
    status: "completed",
    completedAt: COMPLETED_AT,
    subject: null,
    sender: { ...user("9"), accountId: accountB },
    recipients: [],
    groupMembers: null,
    documents: [contentDocument("1")],
    parties: { sender: null, recipients: null },
    purgeState: "unpurged",
    isOnAnotherSite: false,
    ...more,
  };
}

/** Returns an envelope sent by a user of the account. */
export function sentFrom(accountId: AccountId | null, more: Partial<Envelope> = {}): Envelope {
  return envelope({ sender: { ...user("9"), accountId }, ...more });
}

/** Returns the link of user U to account A, which imports all history. */
export function link(more: Partial<OwningLink> = {}): OwningLink {
  return {
    accountId: accountA,
    userId: u.userId,
    userEmail: u.email,
    sentFrom: null,
    receivedFrom: null,
    ...more,
  };
}

/** Returns the decision's kind and reason as one string. */
export function decide(
  about: Envelope,
  by: OwningLink = link(),
  forwardings: readonly Forwarding[] = [],
): string {
  const { kind, reason } = judge(about, by, forwardings);
  return `${kind}: ${reason}`;
}

export function judge(
  about: Envelope,
  by: OwningLink = link(),
  forwardings: readonly Forwarding[] = [],
): Ownership {
  return decideOwnership({ link: by, envelope: about, forwardings, groupMembers: about.groupMembers ?? [] });
}
