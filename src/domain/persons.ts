import type { Person } from "./envelope.ts";

/** What two records tell about being one thing: "unknown" where they share nothing to compare. */
export type Likeness = "same" | "different" | "unknown";

/**
 * Whether two records speak of one person (import-rules 1): user ids decide where both have one, since
 * two users can share an address; otherwise addresses do, whatever their case.
 */
export function comparePersons(one: Person, other: Person): Likeness {
  if (one.userId !== null && other.userId !== null) return one.userId === other.userId ? "same" : "different";
  const [address, otherAddress] = [plainAddress(one.email), plainAddress(other.email)];
  if (address === "" || otherAddress === "") return "unknown";
  return address === otherAddress ? "same" : "different";
}

/** Whether two records are known to speak of one person. */
export function isSamePerson(one: Person, other: Person): boolean {
  return comparePersons(one, other) === "same";
}

/** Whether a record names anybody at all. */
export function isNamed(person: Person): boolean {
  return person.userId !== null || plainAddress(person.email) !== "";
}

function plainAddress(email: string | null): string {
  return (email ?? "").trim().toLowerCase();
}
