import type { Envelope } from "../../src/domain/envelope.ts";
import type { AccountId, UserId } from "../../src/domain/identifiers.ts";
import { decideOwnership } from "../../src/domain/ownership.ts";
import { type EndedLink, endOf, type Starts, startsFor } from "../../src/domain/window.ts";

export type Linking = { readonly accountId: AccountId; readonly userId: UserId; readonly endedAt: Date };

/**
 * Plays links one after the other, each of which reaches everything that completed before its end. Returns what each
 * link finds by its windows alone, without a memory of earlier imports.
 */
export function playHistory(linkings: readonly Linking[], envelopes: readonly Envelope[]): Envelope[][] {
  const history: EndedLink[] = [];
  return linkings.map((linking) => {
    const starts = startsFor(history, linking);
    history.push({ ...linking, ...endAfterAll(linking.endedAt, starts) });
    return envelopes.filter((one) => isFound(one, linking, starts));
  });
}

function endAfterAll(endedAt: Date, starts: Starts): ReturnType<typeof endOf> {
  return endOf({
    ...starts,
    endedAt,
    reachedSent: endedAt,
    reachedReceived: endedAt,
    oldestWaiting: null,
    oldestAnnounced: null,
  });
}

function isFound(envelope: Envelope, linking: Linking, starts: Starts): boolean {
  if (envelope.completedAt === null || envelope.completedAt >= linking.endedAt) return false;
  const link = { ...linking, ...starts, userEmail: null };
  return decideOwnership({ link, envelope, forwardings: [], groupMembers: [] }).kind === "import";
}
