import type { Forwarding, Person, Recipient } from "../../domain/envelope.ts";
import { isObject } from "../wire/fields.ts";
import { readRecipients } from "../wire/recipients.ts";

type Place = Forwarding["from"];

type EventData = {
  readonly recipientId: string | null;
  readonly reassignedRecipientId: string | null;
  readonly envelopeSummary?: unknown;
};

/**
 * Reads from a `recipient-reassign` or `recipient-delegate` message who gave a place in the routing to whom (import-rules
 * 1, Forwarding). A person whom the message does not identify is known by the place's id only. A forwarding to oneself is
 * ignored.
 */
export function readForwardings(event: string, data: EventData): readonly Forwarding[] {
  switch (event) {
    case "recipient-reassign":
      return readReassignment(recipientsOf(data), data);
    case "recipient-delegate":
      return readDelegated(recipientsOf(data), data);
    default:
      return [];
  }
}

function recipientsOf({ envelopeSummary }: EventData): readonly Recipient[] {
  return (isObject(envelopeSummary) ? readRecipients(envelopeSummary["recipients"]) : null) ?? [];
}

function readReassignment(recipients: readonly Recipient[], data: EventData): readonly Forwarding[] {
  const { recipientId, reassignedRecipientId } = data;
  if (recipientId === null || reassignedRecipientId === null) return [];
  if (isOneId(recipients, recipientId, reassignedRecipientId))
    return [readSharedPlace(recipients, recipientId)];
  const named = {
    giver: recipients.find((one) => hasId(one, recipientId)),
    taker: recipients.find((one) => hasId(one, reassignedRecipientId)),
  };
  const giver = placeOf(named.giver, recipientId);
  const taker = placeOf(named.taker, reassignedRecipientId);
  if (isSamePlace(giver, taker)) return [];
  // DocuSign turns the giver into a carbon copy. That is more reliable than the names of the two fields.
  const isSwapped = isCopy(named.taker) && !isCopy(named.giver);
  return [isSwapped ? { from: taker, to: giver } : { from: giver, to: taker }];
}

function isOneId(recipients: readonly Recipient[], one: string, other: string): boolean {
  const isOneEntry = recipients.some((recipient) => hasId(recipient, one) && hasId(recipient, other));
  return isOneEntry || one.toLowerCase() === other.toLowerCase();
}

/** The taker may have the giver's id. Then only a carbon copy with that id shows who is who. */
function readSharedPlace(recipients: readonly Recipient[], id: string): Forwarding {
  const entries = recipients.filter((recipient) => hasId(recipient, id));
  const copy = entries.find(isCopy);
  const other = entries.find((entry) => !isCopy(entry));
  if (copy !== undefined && other !== undefined) return { from: placeOf(copy, id), to: placeOf(other, id) };
  const unknown = placeOf(undefined, entries[0]?.recipientId ?? id);
  return { from: unknown, to: unknown };
}

/** The entries are more reliable than the message's two ids, which some versions may not send. */
function readDelegated(recipients: readonly Recipient[], data: EventData): readonly Forwarding[] {
  const told = withoutRepeats(recipients.flatMap(readDelegations));
  return told.length > 0 ? told : readReassignment(recipients, data);
}

function hasId(recipient: Recipient, id: string): boolean {
  return recipient.recipientId === id || recipient.recipientGuid?.toLowerCase() === id.toLowerCase();
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

/** If both sides are listed, both report the same delegation. */
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
