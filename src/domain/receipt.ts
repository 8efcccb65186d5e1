import type { Forwarding, Person, Recipient } from "./envelope.ts";
import { comparePlaces, listTransfers, type Transfer } from "./forwarding.ts";
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

const CARBON_COPIES = "carbonCopies";

/**
 * Whether the user is a recipient as the envelope was before any forwarding (import-rules 1): holds a place
 * that nobody forwarded to them, or gave away such a place. Reassigning leaves the giver as a carbon
 * copy, delegating leaves the giver's entry; where nothing is told, recipients count as listed.
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

  const toldChains = linkByPlace(taken, given);
  const forwarded = findForwardedEntries(entries, taken, new Set(toldChains.values()), recipients);
  const chains = linkTheRest(toldChains, taken, given, new Set(forwarded.values()));
  addCarbonCopiesOfChains(forwarded, entries, new Set(chains.values()));

  const isOwn =
    entries.some((entry) => !forwarded.has(entry)) || given.some((transfer) => !chains.has(transfer));
  return {
    kind: isOwn ? "own" : entries.length + taken.length > 0 ? "forwarded" : "none",
    matches: entries.map((entry) => describe(entry, forwarded.get(entry))),
    givenTo: given.map((transfer) => transfer.to.person.userId),
  };
}

/** For each place the user gave away, once or to several: the forwarding by which the user had got that very place. */
function linkByPlace(taken: readonly Transfer[], given: readonly Transfer[]): Map<Transfer, Transfer> {
  const chains = new Map<Transfer, Transfer>();
  for (const onward of given) {
    const before = taken.filter((transfer) => comparePlaces(transfer.to, onward.from) === "same");
    const used = new Set(chains.values());
    const link = before.find((transfer) => !used.has(transfer)) ?? before[0];
    if (link !== undefined) chains.set(onward, link);
  }
  return chains;
}

/** The user's entries that came by forwarding: those told by id, then one for each forwarding without. */
function findForwardedEntries(
  entries: readonly Recipient[],
  taken: readonly Transfer[],
  passedOn: ReadonlySet<Transfer>,
  recipients: readonly Recipient[],
): Map<Recipient, Transfer> {
  const forwarded = new Map<Recipient, Transfer>();
  const open: { transfer: Transfer; group: string | null }[] = [];
  for (const transfer of taken) {
    const entry = entries.find((one) => one === transfer.to.entry);
    if (entry !== undefined) forwarded.set(entry, transfer);
    else if (!passedOn.has(transfer)) open.push({ transfer, group: findGroup(transfer, recipients) });
  }
  // Who may only take one group's entry goes first, so that the others leave it one.
  for (const { transfer, group } of open.sort(
    (a, b) => Number(a.group === null) - Number(b.group === null),
  )) {
    const entry = entries.find((one) => !forwarded.has(one) && isGivenGroup(one.group, group));
    if (entry !== undefined) forwarded.set(entry, transfer);
  }
  return forwarded;
}

/** The group of the place that was given, or null where the giver's listed entries no longer tell it. */
function findGroup({ from }: Transfer, recipients: readonly Recipient[]): string | null {
  const entries = from.entry ? [from.entry] : recipients.filter((one) => isSamePerson(one, from.person));
  const [group, another] = new Set(entries.map((entry) => entry.group));
  return group === undefined || another !== undefined || group === CARBON_COPIES ? null : group;
}

function isGivenGroup(group: string, given: string | null): boolean {
  return given === null ? group !== CARBON_COPIES : group === given;
}

/** Places given away without a told place: each may be one that the user had got; those gone first. */
function linkTheRest(
  told: ReadonlyMap<Transfer, Transfer>,
  taken: readonly Transfer[],
  given: readonly Transfer[],
  held: ReadonlySet<Transfer>,
): Map<Transfer, Transfer> {
  const chains = new Map(told);
  const free = new Set(
    taken.toSorted((a, b) => Number(held.has(a)) - Number(held.has(b))).filter(isNotIn(told)),
  );
  for (const onward of given.filter((transfer) => !told.has(transfer))) {
    const before = [...free].find((transfer) => comparePlaces(transfer.to, onward.from) !== "different");
    if (before === undefined) continue;
    chains.set(onward, before);
    free.delete(before);
  }
  return chains;
}

function isNotIn(chains: ReadonlyMap<Transfer, Transfer>): (transfer: Transfer) => boolean {
  const linked = new Set(chains.values());
  return (transfer) => !linked.has(transfer);
}

/** Who reassigns a forwarded place is listed as carbon copy for it: that copy is no more theirs than the place. */
function addCarbonCopiesOfChains(
  forwarded: Map<Recipient, Transfer>,
  entries: readonly Recipient[],
  passedOn: ReadonlySet<Transfer>,
): void {
  const held = new Set(forwarded.values());
  for (const transfer of passedOn) {
    const copy = entries.find((entry) => entry.group === CARBON_COPIES && !forwarded.has(entry));
    if (copy !== undefined && !held.has(transfer)) forwarded.set(copy, transfer);
  }
}

function describe(entry: Recipient, transfer: Transfer | undefined): Match {
  return {
    group: entry.group,
    by: entry.userId === null ? "email" : "user-id",
    forwarded: transfer !== undefined,
    forwardedFrom: transfer?.from.person.userId ?? null,
  };
}
