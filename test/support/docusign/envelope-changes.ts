import { randomUUID } from "node:crypto";
import { createRecipient } from "./envelopes.ts";
import { pdfContent } from "./pdf.ts";
import {
  type DocuSignState,
  type Envelope,
  type EnvelopeDocument,
  indexRecipients,
  type Recipient,
  type User,
} from "./state.ts";

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

/**
 * Takes documents away once `purgeState` says that they are purged; queued ones are still there. Old reports say that
 * DocuSign serves placeholders instead of answering 404.
 */
export function markPurged(
  envelope: Envelope,
  purgeState: string,
  leaves: "nothing" | "placeholders" = "nothing",
): void {
  envelope.purgeState = purgeState;
  if (!purgeState.endsWith("purged") || purgeState === "unpurged") return;
  const isSummary = ({ type }: EnvelopeDocument): boolean => type === "summary";
  if (leaves === "placeholders")
    envelope.purgedDocuments = envelope.documents.filter((document) => !isSummary(document));
  envelope.documents = envelope.documents.filter(isSummary);
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
