import type { Forwarding, Person, Recipient } from "../domain/envelope.ts";
import { isObject } from "./wire-fields.ts";
import { readRecipients } from "./wire-recipients.ts";

type Place = Forwarding["from"];

type EventData = {
  readonly recipientId: string | null;
  readonly reassignedRecipientId: string | null;
  readonly envelopeSummary?: unknown;
};

/**
 * Who gave a place in the routing to whom, as far as a `recipient-reassign` or `recipient-delegate` tells
 * (import-rules 1, Forwarding). Nothing is said of forwardings to oneself and of places that can't be told apart.
 */
export function readForwardings(event: string, data: EventData): readonly Forwarding[] {
  const summary = data.envelopeSummary;
  const recipients = (isObject(summary) ? readRecipients(summary["recipients"]) : null) ?? [];
  if (event === "recipient-reassign") return readReassignment(recipients, data);
  if (event === "recipient-delegate") return withoutRepeats(recipients.flatMap(readDelegations));
  return [];
}

function readReassignment(recipients: readonly Recipient[], data: EventData): readonly Forwarding[] {
  const { recipientId, reassignedRecipientId } = data;
  if (recipientId === null || reassignedRecipientId === null) return [];
  const named = { from: find(recipients, recipientId), to: find(recipients, reassignedRecipientId) };
  // DocuSign makes a carbon copy of whoever gave the place away, which is surer than the names of the two fields.
  const isSwapped = isCopy(named.to) && !isCopy(named.from);
  const giver = placeOf(named.from, recipientId);
  const taker = placeOf(named.to, reassignedRecipientId);
  const forwarding = isSwapped ? { from: taker, to: giver } : { from: giver, to: taker };
  return isSamePlace(giver, taker) ? [] : [forwarding];
}

function find(recipients: readonly Recipient[], id: string): Recipient | undefined {
  const key = id.toLowerCase();
  return recipients.find(
    (recipient) => recipient.recipientId === id || recipient.recipientGuid?.toLowerCase() === key,
  );
}

function isCopy(recipient: Recipient | undefined): boolean {
  return recipient?.group === "carbonCopies";
}

function placeOf(recipient: Recipient | undefined, id: string | null): Place {
  if (recipient === undefined) return { userId: null, email: null, recipientId: id };
  return { userId: recipient.userId, email: recipient.email, recipientId: recipient.recipientId ?? id };
}

function readDelegations(recipient: Recipient): readonly Forwarding[] {
  const here = placeOf(recipient, recipient.recipientGuid);
  const elsewhere = (person: Person): Place => ({ ...person, recipientId: null });
  const taken = recipient.delegatedBy === null ? [] : [{ from: elsewhere(recipient.delegatedBy), to: here }];
  const given = recipient.delegatedTo.map((person) => ({ from: here, to: elsewhere(person) }));
  return [...taken, ...given].filter(({ from, to }) => !isSamePlace(from, to));
}

/** The same delegation is told on both sides where both are listed. */
function withoutRepeats(forwardings: readonly Forwarding[]): readonly Forwarding[] {
  return forwardings.filter(
    (one, index) =>
      !forwardings
        .slice(0, index)
        .some((other) => isSamePlace(one.from, other.from) && isSamePlace(one.to, other.to)),
  );
}

function isSamePlace(one: Place, other: Place): boolean {
  if (one.userId !== null && other.userId !== null) return one.userId === other.userId;
  if (one.email !== null && other.email !== null)
    return one.email.toLowerCase() === other.email.toLowerCase();
  return one.recipientId !== null && one.recipientId === other.recipientId;
}
