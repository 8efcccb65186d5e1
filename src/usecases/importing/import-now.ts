import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { WaitingCause } from "../../domain/link-wait.ts";
import type { FoundBy } from "../../store/ledger/envelopes.ts";
import { findLink } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { isFirstImport } from "./first-import.ts";
import { importEnvelope } from "./import-envelope.ts";
import type { ImportOutcome } from "./outcome.ts";
import { findLinkWait } from "./waiting-cause.ts";

type Deps = Uses<"adminProfiles" | "budgets" | "db" | "documents" | "lanes" | "log" | "now" | "openAccount">;

/** How the imports of one command ended, counted in envelopes. */
export type ImportTally = Record<ImportOutcome["kind"], number>;

export type ImportNow = {
  readonly linkId: LinkId;
  readonly foundBy: FoundBy;
  /** Gives each envelope to one lane only; null where there is none. */
  readonly next: () => Promise<EnvelopeId | null>;
  /** Once aborted, what is under way ends and nothing more begins. */
  readonly signal: AbortSignal;
  readonly onEnded: (outcome: ImportOutcome) => void;
};

/**
 * Imports envelopes of one link in this process, as many at once as its lanes, until there are no more, or the
 * link's state or the account's budget allows no more. A fault ends all lanes, and is thrown when they have ended.
 */
export async function importNow(deps: Deps, work: ImportNow): Promise<void> {
  const failing = new AbortController();
  const signal = AbortSignal.any([work.signal, failing.signal]);
  const lanes = Array.from({ length: deps.lanes }, async () => {
    try {
      await runLane(deps, { ...work, signal });
    } catch (error) {
      failing.abort();
      throw error;
    }
  });
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
}

async function runLane(deps: Omit<Deps, "lanes">, work: ImportNow): Promise<void> {
  while (!work.signal.aborted && (await findWait(deps, work.linkId, work.foundBy)) === null) {
    const envelopeId = await work.next();
    if (envelopeId === null) return;
    const { linkId, foundBy } = work;
    work.onEnded(await importEnvelope(deps, { linkId, envelopeId, foundBy }));
  }
}

/** What allows no import of the link now; a first import is paced by the account's budget. */
export async function findWait(
  deps: Uses<"budgets" | "db">,
  linkId: LinkId,
  foundBy: FoundBy,
): Promise<WaitingCause | null> {
  const link = await findLink(deps.db, linkId);
  const isListed = link !== null && foundBy === "reconciliation" && isFirstImport(link);
  return await findLinkWait(deps, link, isListed ? "listing" : "event");
}

/** Nothing has ended yet. */
export function emptyTally(): ImportTally {
  return { imported: 0, settled: 0, excluded: 0, waiting: 0, unknown: 0, busy: 0, "link-ended": 0 };
}
