import type { Recipient } from "./envelope.ts";
import { comparePlaces, type Transfer } from "./forwarding.ts";
import { isSamePerson } from "./persons.ts";

/** The places that one person received or gave away by forwarding. */
export type Trace = {
  /** The person's listed entries that a forwarding brought, with that forwarding. */
  readonly forwarded: ReadonlyMap<Recipient, Transfer>;
  /** Forwarded places that the person gave away again, with the forwarding that had brought them. */
  readonly passedOn: ReadonlyMap<Transfer, Transfer>;
};

const CARBON_COPIES = "carbonCopies";

/**
 * Matches one person's forwardings with the entries listed for that person. It matches by place if the place is known.
 * Otherwise it relies on what DocuSign does: reassigning moves the place and leaves the giver a carbon copy, delegating
 * leaves the giver's entry. Each forwarding accounts for one entry (import-rules 1).
 */
export function traceForwarded(
  entries: readonly Recipient[],
  taken: readonly Transfer[],
  given: readonly Transfer[],
  recipients: readonly Recipient[],
): Trace {
  const told = linkByPlace(taken, given);
  const forwarded = findForwardedEntries(entries, taken, new Set(told.values()), recipients);
  const passedOn = linkTheRest(told, taken, given, new Set(forwarded.values()));
  addCarbonCopies(forwarded, entries, new Set(passedOn.values()));
  return { forwarded, passedOn };
}

/** For each place that the user gave away, once or more often: the forwarding that had brought that place. */
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

/** The user's forwarded entries: first those with a known id, then one for each forwarding without an id. */
function findForwardedEntries(
  entries: readonly Recipient[],
  taken: readonly Transfer[],
  passedOn: ReadonlySet<Transfer>,
  recipients: readonly Recipient[],
): Map<Recipient, Transfer> {
  const forwarded = new Map<Recipient, Transfer>();
  // Stryker disable next-line ArrayDeclaration: no entry has the group of the text that the mutant adds
  const unplaced: { transfer: Transfer; group: string | null }[] = [];
  for (const transfer of taken) {
    const entry = entries.find((one) => one === transfer.to.entry);
    if (entry !== undefined) forwarded.set(entry, transfer);
    else if (!passedOn.has(transfer)) unplaced.push({ transfer, group: findGroup(transfer, recipients) });
  }
  // Forwardings restricted to one group choose first; the others could otherwise take their only entry.
  unplaced.sort((one, other) => Number(one.group === null) - Number(other.group === null));
  for (const { transfer, group } of unplaced) {
    const entry = entries.find((one) => !forwarded.has(one) && isGivenGroup(one.group, group));
    if (entry !== undefined) forwarded.set(entry, transfer);
  }
  return forwarded;
}

/** The group of the place that was given away; null if the giver's listed entries no longer show it. */
function findGroup({ from }: Transfer, recipients: readonly Recipient[]): string | null {
  const entries = from.entry ? [from.entry] : recipients.filter((one) => isSamePerson(one, from.person));
  const [group, another] = new Set(entries.map((entry) => entry.group));
  return group === undefined || another !== undefined || group === CARBON_COPIES ? null : group;
}

function isGivenGroup(group: string, given: string | null): boolean {
  return given === null ? group !== CARBON_COPIES : group === given;
}

/** Forwardings that do not name the place given away. Each may be a forwarded place; vanished places come first. */
function linkTheRest(
  told: ReadonlyMap<Transfer, Transfer>,
  taken: readonly Transfer[],
  given: readonly Transfer[],
  held: ReadonlySet<Transfer>,
): Map<Transfer, Transfer> {
  const chains = new Map(told);
  const linked = new Set(told.values());
  const free = new Set(
    taken
      .filter((transfer) => !linked.has(transfer))
      .sort((one, other) => Number(held.has(one)) - Number(held.has(other))),
  );
  for (const onward of given.filter((transfer) => !told.has(transfer))) {
    const before = [...free].find((transfer) => comparePlaces(transfer.to, onward.from) !== "different");
    if (before === undefined) continue;
    chains.set(onward, before);
    free.delete(before);
  }
  return chains;
}

/** A person who reassigns a forwarded place becomes a carbon copy. That copy counts as forwarded, like the place. */
function addCarbonCopies(
  forwarded: Map<Recipient, Transfer>,
  entries: readonly Recipient[],
  passedOn: ReadonlySet<Transfer>,
): void {
  const held = new Set(forwarded.values());
  for (const transfer of passedOn) {
    if (held.has(transfer)) continue;
    const copy = entries.find((entry) => entry.group === CARBON_COPIES && !forwarded.has(entry));
    // Stryker disable next-line ConditionalExpression: the key undefined would never be looked up
    if (copy !== undefined) forwarded.set(copy, transfer);
  }
}
