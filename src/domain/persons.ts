import type { Person } from "./envelope.ts";

/** The result of comparing two records: "unknown" if they have nothing in common to compare. */
export type Likeness = "same" | "different" | "unknown";

/**
 * Compares two records of persons (import-rules 1). User ids decide if both records have one, since two users can share
 * an e-mail address. Otherwise the addresses decide, case-insensitively.
 */
export function comparePersons(one: Person, other: Person): Likeness {
  if (one.userId !== null && other.userId !== null) return one.userId === other.userId ? "same" : "different";
  const [address, otherAddress] = [plainAddress(one.email), plainAddress(other.email)];
  if (address === "" || otherAddress === "") return "unknown";
  return address === otherAddress ? "same" : "different";
}

/** Returns true if both records are known to describe the same person. */
export function isSamePerson(one: Person, other: Person): boolean {
  return comparePersons(one, other) === "same";
}

/** Returns true if the record has a user id or an e-mail address. */
export function isNamed(person: Person): boolean {
  return person.userId !== null || plainAddress(person.email) !== "";
}

/** Returns what identifies the person. Two records of the same person share at least one of these texts. */
export function identitiesOf({ userId, email }: Person): string[] {
  const address = plainAddress(email);
  return [...(userId === null ? [] : [`user ${userId}`]), ...(address === "" ? [] : [`address ${address}`])];
}

/** The fields by which a record of a person can be compared. */
export type Form = "nothing" | "user" | "address" | "user, address";
export const FORMS: readonly Form[] = ["nothing", "user", "address", "user, address"];

/** Returns the form of the record. */
export function formOf({ userId, email }: Person): Form {
  const hasAddress = plainAddress(email) !== "";
  if (userId === null) return hasAddress ? "address" : "nothing";
  return hasAddress ? "user, address" : "user";
}

/** Returns true if records of these forms have something in common to compare. */
export function isComparable(one: Form, other: Form): boolean {
  return one !== "nothing" && other !== "nothing" && (one.includes(other) || other.includes(one));
}

function plainAddress(email: string | null): string {
  return (email ?? "").trim().toLowerCase();
}
