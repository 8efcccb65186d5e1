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

/** If both sides are listed, both report the same delegation. Takes linear time: a message may hold thousands. */
function withoutRepeats(forwardings: readonly Forwarding[]): readonly Forwarding[] {
  const seen = new Map<string, Alike>();
  return forwardings.filter(({ from, to }) => {
    const ends = { from: keysOf(from), to: keysOf(to) };
    const isRepeat = [...seen.values()].some((alike) => isAmong(alike, ends));
    addTo(seen, ends);
    return !isRepeat;
  });
}

/** The keys of a place, in this order: two places are compared by the first key that both have. */
const KINDS = ["userId", "email", "recipientId"] as const;
type Keys = ReadonlyMap<(typeof KINDS)[number], string>;
type Ends = { readonly from: Keys; readonly to: Keys };

/** Forwardings whose ends have the same kinds of keys: a comparison with any of them uses the same two kinds. */
type Alike = { readonly kinds: Ends; readonly pairs: Set<string> };

function keysOf({ userId, email, recipientId }: Place): Keys {
  const keys = { userId, email: email?.toLowerCase() ?? null, recipientId };
  return new Map(KINDS.flatMap((kind) => (keys[kind] === null ? [] : [[kind, keys[kind]] as const])));
}

function isAmong({ kinds, pairs }: Alike, { from, to }: Ends): boolean {
  const fromKind = sharedKind(kinds.from, from);
  const toKind = sharedKind(kinds.to, to);
  if (fromKind === undefined || toKind === undefined) return false;
  return pairs.has(JSON.stringify([fromKind, from.get(fromKind), toKind, to.get(toKind)]));
}

function addTo(seen: Map<string, Alike>, ends: Ends): void {
  const form = [...ends.from.keys(), "to", ...ends.to.keys()].join(" ");
  const alike = seen.get(form) ?? { kinds: ends, pairs: new Set<string>() };
  for (const from of ends.from) for (const to of ends.to) alike.pairs.add(JSON.stringify([...from, ...to]));
  seen.set(form, alike);
}

function sharedKind(one: Keys, other: Keys): (typeof KINDS)[number] | undefined {
  return KINDS.find((kind) => one.has(kind) && other.has(kind));
}

function isSamePlace(one: Place, other: Place): boolean {
  const [ones, others] = [keysOf(one), keysOf(other)];
  const kind = sharedKind(ones, others);
  return kind !== undefined && ones.get(kind) === others.get(kind);
}
