import type { Forwarding, Person, Recipient } from "./envelope.ts";
import { parseUuid } from "./identifiers.ts";
import { comparePersons, isNamed, isSamePerson, type Likeness } from "./persons.ts";

/** One end of a forwarding: the person and, if known, the listed entry and the recipient id from an event. */
export type Place = { readonly person: Person; readonly entry: Recipient | null; readonly id: string | null };

/** A place in the routing that went from one person to another. */
export type Transfer = { readonly from: Place; readonly to: Place };

/**
 * Returns every known forwarding of the envelope exactly once (import-rules 1). The sources overlap: `delegatedBy`,
 * `delegatedTo` and recorded events.
 */
export function listTransfers(
  recipients: readonly Recipient[],
  forwardings: readonly Forwarding[],
): Transfer[] {
  // Events first: they can name both ends, which distinguishes two forwardings between the same persons.
  const told = [
    ...forwardings.map((forwarding) => readForwarding(forwarding, recipients, forwardings)),
    ...recipients.flatMap((entry) => readDelegations(entry, recipients)),
  ];
  const distinct: Transfer[] = [];
  for (const transfer of told.filter(isBetweenTwo)) addDistinct(distinct, transfer);
  return distinct;
}

// Stryker disable next-line StringLiteral: callers compare with "same" and "different" only
const UNKNOWN: Likeness = "unknown";

/** Compares two places by listed entry, otherwise by recipient id, never by person. */
export function comparePlaces(one: Place, other: Place): Likeness {
  if (one.entry !== null && other.entry !== null) return one.entry === other.entry ? "same" : "different";
  if (one.id === null || other.id === null) return UNKNOWN;
  if (one.id === other.id) return "same";
  // DocuSign uses both numbers and GUIDs, so a number and a GUID may name the same place.
  return isGuid(one.id) === isGuid(other.id) ? "different" : UNKNOWN;
}

function readDelegations(entry: Recipient, recipients: readonly Recipient[]): Transfer[] {
  const here = placeOf(entry);
  const given = entry.delegatedTo.filter(isNamed).map((taker) => ({ from: here, to: unplaced(taker) }));
  if (entry.delegatedBy === null || !isNamed(entry.delegatedBy)) return given;
  return [{ from: findDelegator(entry.delegatedBy, entry, recipients), to: here }, ...given];
}

/** A delegation leaves the delegator's entry listed, in the same group as the delegate's. */
function findDelegator(delegator: Person, taker: Recipient, recipients: readonly Recipient[]): Place {
  const [entry, another] = recipients.filter(
    (one) => one !== taker && one.group === taker.group && isSamePerson(one, delegator),
  );
  return entry === undefined || another !== undefined ? unplaced(delegator) : placeOf(entry);
}

function readForwarding(
  { from, to }: Forwarding,
  recipients: readonly Recipient[],
  all: readonly Forwarding[],
): Transfer {
  const taker = locate(to, recipients);
  // The new recipient may have taken over the old id. That entry does not identify the old recipient.
  const others = recipients.filter(
    (one) =>
      !isSamePerson(one, taker.person) &&
      // Stryker disable next-line ConditionalExpression: only an entry that names nobody differs, and it gives nothing
      one !== taker.entry,
  );
  const giver = locate(from, isNamed(from) ? recipients : others);
  const asTold = { from: giver, to: taker };
  if (isNamed(from) || isNamed(to) || !isCopy(taker) || giver.entry === null || isCopy(giver)) return asTold;
  // DocuSign turns the giver into a carbon copy. That is more reliable than guessing which id is whose.
  const gaveItOn = all.some((other) => normalId(other.from.recipientId) === taker.id);
  return gaveItOn ? asTold : { from: taker, to: giver };
}

function isCopy({ entry }: Place): boolean {
  return entry?.group === "carbonCopies";
}

function locate(place: Forwarding["to"], recipients: readonly Recipient[]): Place {
  const id = normalId(place.recipientId);
  const entry =
    recipients.find((one) => hasId(one, id) && comparePersons(one, place) !== "different") ?? null;
  const person = {
    userId: place.userId ?? entry?.userId ?? null,
    email: place.email ?? entry?.email ?? null,
  };
  return { person, entry, id };
}

function isBetweenTwo({ from, to }: Transfer): boolean {
  // Stryker disable next-line ConditionalExpression,LogicalOperator: a forwarding between unnamed persons matches nobody
  return (isNamed(from.person) || isNamed(to.person)) && !isSamePerson(from.person, to.person);
}

function addDistinct(distinct: Transfer[], transfer: Transfer): void {
  const alike = distinct.filter((other) => isOneTransfer(other, transfer));
  const known = alike.find((other) => sharesPlace(other, transfer)) ?? alike[0];
  if (known === undefined) distinct.push(transfer);
  else distinct[distinct.indexOf(known)] = joinTransfers(known, transfer);
}

function isOneTransfer(one: Transfer, other: Transfer): boolean {
  const givers = comparePersons(one.from.person, other.from.person);
  const takers = comparePersons(one.to.person, other.to.person);
  const places = [comparePlaces(one.from, other.from), comparePlaces(one.to, other.to)];
  if ([givers, takers, ...places].includes("different")) return false;
  return givers === "same" || takers === "same";
}

function sharesPlace(one: Transfer, other: Transfer): boolean {
  return comparePlaces(one.from, other.from) === "same" || comparePlaces(one.to, other.to) === "same";
}

function joinTransfers(one: Transfer, other: Transfer): Transfer {
  return { from: joinPlaces(one.from, other.from), to: joinPlaces(one.to, other.to) };
}

function joinPlaces(one: Place, other: Place): Place {
  const person = {
    userId: one.person.userId ?? other.person.userId,
    email: one.person.email ?? other.person.email,
  };
  return { person, entry: one.entry ?? other.entry, id: one.id ?? other.id };
}

function placeOf(entry: Recipient): Place {
  return { person: entry, entry, id: null };
}

function unplaced(person: Person): Place {
  return { person, entry: null, id: null };
}

function hasId(entry: Recipient, id: string | null): boolean {
  return id !== null && (normalId(entry.recipientId) === id || normalId(entry.recipientGuid) === id);
}

function normalId(id: string | null): string | null {
  const trimmed = id?.trim();
  // Stryker disable next-line MethodExpression: upper case would distinguish ids as well as lower case
  return trimmed?.toLowerCase() || null;
}

function isGuid(id: string): boolean {
  // Stryker disable next-line EqualityOperator: two results are compared with each other, so both may be negated
  return parseUuid(id) !== null;
}
