import type { Forwarding, Person, Recipient } from "./envelope.ts";
import { traceForwarded } from "./forwarded-places.ts";
import { listTransfers, type Transfer } from "./forwarding.ts";
import type { UserId } from "./identifiers.ts";
import { isSamePerson } from "./persons.ts";

/** A listed entry of the linked user, told without addresses. */
export type Match = {
  readonly group: string;
  readonly by: "user-id" | "email";
  /** Whether the user holds this place only because somebody forwarded it. */
  readonly forwarded: boolean;
  readonly forwardedFrom: UserId | null;
};

/** How an envelope reached a user: as a recipient of its own, by forwarding only, or not at all. */
export type Receipt = {
  readonly kind: "own" | "forwarded" | "none";
  readonly matches: readonly Match[];
  /** To whom the user gave places, ids only. */
  readonly givenTo: readonly (UserId | null)[];
};

/**
 * Whether the user is a recipient as the envelope was before any forwarding (import-rules 1): holds a place
 * that nobody forwarded to them, or gave away such a place. Where nothing is told, recipients count as listed.
 */
export function judgeReceipt(
  user: Person,
  recipients: readonly Recipient[],
  forwardings: readonly Forwarding[],
): Receipt {
  const transfers = listTransfers(recipients, forwardings);
  const entries = recipients.filter((entry) => isSamePerson(entry, user));
  const taken = transfers.filter((transfer) => isSamePerson(transfer.to.person, user));
  const given = transfers.filter((transfer) => isSamePerson(transfer.from.person, user));

  const { forwarded, passedOn } = traceForwarded(entries, taken, given, recipients);
  const isOwn =
    entries.some((entry) => !forwarded.has(entry)) || given.some((transfer) => !passedOn.has(transfer));
  const ifNotOwn = entries.length + taken.length > 0 ? "forwarded" : "none";
  return {
    kind: isOwn ? "own" : ifNotOwn,
    matches: entries.map((entry) => describe(entry, forwarded.get(entry))),
    givenTo: given.map((transfer) => transfer.to.person.userId),
  };
}

function describe(entry: Recipient, transfer: Transfer | undefined): Match {
  return {
    group: entry.group,
    by: entry.userId === null ? "email" : "user-id",
    forwarded: transfer !== undefined,
    forwardedFrom: transfer?.from.person.userId ?? null,
  };
}
