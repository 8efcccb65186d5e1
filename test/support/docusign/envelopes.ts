import { randomUUID } from "node:crypto";
import { type Content, contentOf, pdfContent } from "./pdf.ts";
import {
  type Account,
  type DocuSignState,
  type Envelope,
  type EnvelopeDocument,
  indexRecipients,
  type Recipient,
  type User,
} from "./state.ts";

export type DocumentWish = {
  /** Defaults to a PDF that shows the document's name, padded to `sizeInBytes` where that is given. */
  bytes?: Buffer;
  sizeInBytes?: number;
  name: string;
  type?: string;
  documentId?: string;
  pages?: number;
};

export type RecipientWish = {
  /** Somebody DocuSign knows; else name and e-mail address, which then carry no user id. */
  user?: User;
  name?: string;
  email?: string;
  /** `signers` unless said otherwise; any name, as DocuSign may add groups. */
  group?: string;
};

export type EnvelopeWish = {
  from: User;
  /** The account that sends: the sender's default account unless said otherwise. */
  account?: Account;
  to?: readonly (User | RecipientWish)[];
  documents?: readonly DocumentWish[];
  subject?: string;
  sentAt?: Date;
};

/** Puts an envelope under way: sent, not signed by anybody yet. */
export function createEnvelope(state: DocuSignState, wish: EnvelopeWish): Envelope {
  const accountId = wish.account?.accountId ?? wish.from.defaultAccountId;
  const sentAt = wish.sentAt ?? state.now();
  const subject = wish.subject ?? "ご契約のお願い";
  const envelope: Envelope = {
    envelopeId: randomUUID(),
    accountId,
    senderId: wish.from.userId,
    subject,
    status: "sent",
    createdAt: sentAt,
    sentAt,
    completedAt: null,
    voidedAt: null,
    declinedAt: null,
    deletedAt: null,
    statusChangedAt: sentAt,
    purgeState: "unpurged",
    recipients: (wish.to ?? []).map((to, index) => createRecipient(to, index)),
    documents: (wish.documents ?? [{ name: "契約書.pdf" }]).map((document, index) =>
      createDocument(document, index),
    ),
    inListing: { hiddenUntil: null, extraneous: false, withoutRecipients: false },
  };
  state.envelopes.set(envelope.envelopeId, envelope);
  state.sentBy.get(accountId)?.push(envelope);
  indexRecipients(state, envelope);
  return envelope;
}

/** Everybody has signed: status, moments, and the certificate of completion. */
export function markCompleted(envelope: Envelope, at: Date): void {
  envelope.status = "completed";
  envelope.completedAt = at;
  envelope.statusChangedAt = at;
  for (const recipient of envelope.recipients) {
    recipient.status = "completed";
    recipient.deliveredAt = at;
    if (recipient.group !== "carbonCopies") recipient.signedAt = at;
  }
  const guid = randomUUID();
  envelope.documents.push({
    documentId: "certificate",
    documentIdGuid: guid,
    name: "Summary",
    type: "summary",
    pages: 4,
    content: pdfContent(`Certificate of Completion ${guid}`),
  });
}

/** The envelope ends unsigned. */
export function markEnded(envelope: Envelope, status: "voided" | "declined" | "deleted", at: Date): void {
  envelope.status = status;
  envelope.statusChangedAt = at;
  if (status === "voided") envelope.voidedAt = at;
  if (status === "declined") envelope.declinedAt = at;
  if (status === "deleted") envelope.deletedAt = at;
}

/** Takes documents away once `purgeState` says that they are purged; queued ones are still there. */
export function markPurged(envelope: Envelope, purgeState: string): void {
  envelope.purgeState = purgeState;
  if (!purgeState.endsWith("purged") || purgeState === "unpurged") return;
  envelope.documents = envelope.documents.filter((document) => document.type === "summary");
}

/** The original recipient becomes a carbon copy, and somebody new gets the place. */
export function reassignRecipient(
  state: DocuSignState,
  envelope: Envelope,
  from: User,
  to: User,
): { original: Recipient; successor: Recipient } {
  const original = recipientOf(envelope, from);
  const successor = createRecipient({ user: to, group: original.group }, envelope.recipients.length);
  original.group = "carbonCopies";
  envelope.recipients.push(successor);
  indexRecipients(state, envelope);
  return { original, successor };
}

/** Somebody new signs for the original recipient, and both say so. */
export function delegateRecipient(
  state: DocuSignState,
  envelope: Envelope,
  people: { from: User; to: User; spelling: "lower" | "capitalised" },
): Recipient {
  const { from, to, spelling } = people;
  const original = recipientOf(envelope, from);
  const delegate = createRecipient({ user: to, group: original.group }, envelope.recipients.length);
  delegate.delegatedBy = { name: from.name, email: from.email, userId: from.userId, spelling };
  original.delegatedTo.push({ name: to.name, email: to.email, userId: to.userId, spelling });
  envelope.recipients.push(delegate);
  indexRecipients(state, envelope);
  return original;
}

function recipientOf(envelope: Envelope, user: User): Recipient {
  const places = envelope.recipients.filter((candidate) => candidate.userId === user.userId);
  // Who came back after giving a place away is listed twice, and it is the newer place that can be given away.
  const recipient = places.findLast(({ group }) => group !== "carbonCopies") ?? places[0];
  if (recipient === undefined) throw new Error(`${user.name} is no recipient of ${envelope.envelopeId}`);
  return recipient;
}

function createRecipient(wish: User | RecipientWish, index: number): Recipient {
  const { user = null, name = user?.name, email = user?.email, group = "signers" } = asWish(wish);
  return {
    group,
    recipientId: String(index + 1),
    recipientIdGuid: randomUUID(),
    userId: user?.userId ?? null,
    name: name ?? "受信者",
    email: email ?? "recipient@example.com",
    routingOrder: index + 1,
    status: "sent",
    deliveredAt: null,
    signedAt: null,
    delegatedTo: [],
    delegatedBy: null,
  };
}

function asWish(wish: User | RecipientWish): RecipientWish {
  return "userId" in wish ? { user: wish } : wish;
}

function createDocument(wish: DocumentWish, index: number): EnvelopeDocument {
  const documentIdGuid = randomUUID();
  return {
    documentId: wish.documentId ?? String(index + 1),
    documentIdGuid,
    name: wish.name,
    type: wish.type ?? "content",
    pages: wish.pages ?? 1,
    content: contentOfWish(wish, documentIdGuid),
  };
}

/** The document's GUID is part of its text, so that no two documents have the same bytes. */
function contentOfWish(wish: DocumentWish, documentIdGuid: string): Content {
  if (wish.bytes !== undefined) return contentOf(wish.bytes);
  return pdfContent(`${wish.name} ${documentIdGuid}`, wish.sizeInBytes);
}
