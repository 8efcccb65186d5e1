import type { Forwarding, Person, Recipient } from "./envelope.ts";
import { traceForwarded } from "./forwarded-places.ts";
import { listTransfers, type Transfer } from "./forwarding.ts";
import type { UserId } from "./identifiers.ts";
import { isSamePerson } from "./persons.ts";

/** A listed entry of the linked user, without addresses. */
export type Match = {
  readonly group: string;
  readonly by: "user-id" | "email";
  /** True if the user holds this place only through forwarding. */
  readonly forwarded: boolean;
  readonly forwardedFrom: UserId | null;
};

/** How an envelope reached a user: as an original recipient, only by forwarding, or not at all. */
export type Receipt = {
  readonly kind: "own" | "forwarded" | "none";
  readonly matches: readonly Match[];
  /** The user ids to whom the user gave places. */
  readonly givenTo: readonly (UserId | null)[];
};

/**
 * Decides whether the user was a recipient before any forwarding (import-rules 1): the user holds, or gave away, a place
 * that was not forwarded to them. Without known forwardings, recipients count as listed. DocuSign sends every member of
 * a signing group the completed envelope, so members are recipients.
 */
export function judgeReceipt(
  user: Person,
  recipients: readonly Recipient[],
  forwardings: readonly Forwarding[],
  groupMembers: readonly Person[] = [],
): Receipt {
  const transfers = listTransfers(recipients, forwardings);
  const entries = recipients.filter((entry) => isSamePerson(entry, user));
  const taken = transfers.filter((transfer) => isSamePerson(transfer.to.person, user));
  const given = transfers.filter((transfer) => isSamePerson(transfer.from.person, user));

  const { forwarded, passedOn } = traceForwarded(entries, taken, given, recipients);
  const isOwn =
    entries.some((entry) => !forwarded.has(entry)) || given.some((transfer) => !passedOn.has(transfer));
  const memberships = groupMembers.filter((member) => isSamePerson(member, user));
  const ifNotOwn = entries.length + taken.length > 0 ? "forwarded" : "none";
  return {
    kind: isOwn || memberships.length > 0 ? "own" : ifNotOwn,
    matches: [
      ...entries.map((entry) => describe({ ...entry, place: entry.group }, forwarded.get(entry))),
      ...memberships.map((member) => describe({ ...member, place: MEMBER }, undefined)),
    ],
    givenTo: given.map((transfer) => transfer.to.person.userId),
  };
}

const MEMBER = "signingGroupUsers";

function describe(entry: Person & { readonly place: string }, transfer: Transfer | undefined): Match {
  return {
    group: entry.place,
    by: entry.userId === null ? "email" : "user-id",
    forwarded: transfer !== undefined,
    forwardedFrom: transfer?.from.person.userId ?? null,
  };
}
