import type { Forwarding, Person, Recipient } from "./envelope.ts";
import { parseUuid } from "./identifiers.ts";
import {
  comparePersons,
  FORMS,
  type Form,
  formOf,
  identitiesOf,
  isComparable,
  isNamed,
  isSamePerson,
  type Likeness,
} from "./persons.ts";

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
  const listed = listRecipients(recipients);
  const givers = new Set(forwardings.map(({ from }) => normalId(from.recipientId)));
  // Events first: they can name both ends, which distinguishes two forwardings between the same persons.
  const told = [
    ...forwardings.map((forwarding) => readForwarding(forwarding, listed, givers)),
    ...recipients.flatMap((entry) => readDelegations(entry, listed)),
  ];
  const distinct: Distinct = { transfers: [], places: new Map() };
  for (const transfer of told.filter(isBetweenTwo)) addDistinct(distinct, transfer);
  return distinct.transfers;
}

/** The recipients by id and by person, since there may be thousands of them and of forwardings. */
type Listed = {
  readonly byId: ReadonlyMap<string, readonly Recipient[]>;
  readonly byPerson: ReadonlyMap<string, readonly Recipient[]>;
};

function listRecipients(recipients: readonly Recipient[]): Listed {
  const byId = new Map<string, Recipient[]>();
  const byPerson = new Map<string, Recipient[]>();
  for (const one of recipients) {
    for (const id of new Set([normalId(one.recipientId), normalId(one.recipientGuid)]))
      if (id !== null) addTo(byId, id, one);
    for (const identity of identitiesOf(one)) addTo(byPerson, identity, one);
  }
  return { byId, byPerson };
}

function addTo<T>(lists: Map<string, T[]>, key: string, one: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [one]);
  else list.push(one);
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

function readDelegations(entry: Recipient, listed: Listed): Transfer[] {
  const here = placeOf(entry);
  const given = entry.delegatedTo.filter(isNamed).map((taker) => ({ from: here, to: unplaced(taker) }));
  if (entry.delegatedBy === null || !isNamed(entry.delegatedBy)) return given;
  return [{ from: findDelegator(entry.delegatedBy, entry, listed), to: here }, ...given];
}

/** A delegation leaves the delegator's entry listed, in the same group as the delegate's. */
function findDelegator(delegator: Person, taker: Recipient, { byPerson }: Listed): Place {
  const known = new Set(identitiesOf(delegator).flatMap((identity) => byPerson.get(identity) ?? []));
  const [entry, another] = [...known].filter(
    (one) => one !== taker && one.group === taker.group && isSamePerson(one, delegator),
  );
  return entry === undefined || another !== undefined ? unplaced(delegator) : placeOf(entry);
}

function readForwarding(
  { from, to }: Forwarding,
  listed: Listed,
  givers: ReadonlySet<string | null>,
): Transfer {
  const taker = locate(to, listed, () => true);
  // The new recipient may have taken over the old id. That entry does not identify the old recipient.
  const isOther = (one: Recipient): boolean =>
    !isSamePerson(one, taker.person) &&
    // Stryker disable next-line ConditionalExpression: only an entry that names nobody differs, and it gives nothing
    one !== taker.entry;
  const giver = locate(from, listed, isNamed(from) ? () => true : isOther);
  const asTold = { from: giver, to: taker };
  if (isNamed(from) || isNamed(to) || !isCopy(taker) || giver.entry === null || isCopy(giver)) return asTold;
  // DocuSign turns the giver into a carbon copy. That is more reliable than guessing which id is whose.
  return givers.has(taker.id) ? asTold : { from: taker, to: giver };
}

function isCopy({ entry }: Place): boolean {
  return entry?.group === "carbonCopies";
}

function locate(place: Forwarding["to"], { byId }: Listed, isPossible: (one: Recipient) => boolean): Place {
  const id = normalId(place.recipientId);
  const entries = id === null ? [] : (byId.get(id) ?? []);
  const entry = entries.find((one) => isPossible(one) && comparePersons(one, place) !== "different") ?? null;
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

/** Transfers without repetitions, with the positions of those that a transfer may repeat. */
type Distinct = { readonly transfers: Transfer[]; readonly places: Map<string, number[]> };

function addDistinct({ transfers, places }: Distinct, transfer: Transfer): void {
  const found = new Set(repeatedKeys(transfer).flatMap((key) => places.get(key) ?? []));
  const alike = [...found]
    .sort((one, other) => one - other)
    .flatMap((at) => {
      const other = transfers[at];
      return other !== undefined && isOneTransfer(other, transfer) ? [{ at, other }] : [];
    });
  const known = alike.find(({ other }) => sharesPlace(other, transfer)) ?? alike[0];
  const at = known?.at ?? transfers.length;
  const joined = known === undefined ? transfer : joinTransfers(known.other, transfer);
  transfers[at] = joined;
  for (const key of keysOf(joined)) addTo(places, key, at);
}

/** The keys under which later transfers find this one. */
function keysOf({ from, to }: Transfer): string[] {
  return [
    ...keysOfPair(from.person, to.person),
    ...identitiesOf(from.person).map((giver) => keyOfGiver(giver, formOf(to.person))),
    ...identitiesOf(to.person).map((taker) => keyOfTaker(taker, formOf(from.person))),
  ];
}

/** The keys of all transfers that may be this one: at least one end is the same person, and the other not different. */
function repeatedKeys({ from, to }: Transfer): string[] {
  const unknownTakers = FORMS.filter((form) => !isComparable(form, formOf(to.person)));
  const unknownGivers = FORMS.filter((form) => !isComparable(form, formOf(from.person)));
  return [
    ...keysOfPair(from.person, to.person),
    ...identitiesOf(from.person).flatMap((giver) => unknownTakers.map((form) => keyOfGiver(giver, form))),
    ...identitiesOf(to.person).flatMap((taker) => unknownGivers.map((form) => keyOfTaker(taker, form))),
  ];
}

function keysOfPair(giver: Person, taker: Person): string[] {
  return identitiesOf(giver).flatMap((one) => identitiesOf(taker).map((other) => `${one} to ${other}`));
}

function keyOfGiver(giver: string, taker: Form): string {
  return `${giver} to somebody by ${taker}`;
}

function keyOfTaker(taker: string, giver: Form): string {
  return `somebody by ${giver} to ${taker}`;
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

function normalId(id: string | null): string | null {
  const trimmed = id?.trim();
  // Stryker disable next-line MethodExpression: upper case would distinguish ids as well as lower case
  return trimmed?.toLowerCase() || null;
}

function isGuid(id: string): boolean {
  // Stryker disable next-line EqualityOperator: two results are compared with each other, so both may be negated
  return parseUuid(id) !== null;
}
