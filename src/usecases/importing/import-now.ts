import type { LinkId } from "../../domain/identifiers.ts";
import type { WaitingCause } from "../../domain/link-wait.ts";
import type { FoundBy } from "../../store/ledger/envelopes.ts";
import { findLink } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { isFirstImport } from "./first-import.ts";
import type { TurnEnd } from "./import-lane.ts";
import type { ImportOutcome } from "./outcome.ts";
import { findLinkWait } from "./waiting-cause.ts";

type Deps = Uses<"budgets" | "db" | "lanes" | "now">;

/** The number of envelopes by outcome, for one command. */
export type ImportTally = Record<ImportOutcome["kind"], number>;

export type ImportNow = {
  readonly linkId: LinkId;
  readonly foundBy: FoundBy;
  /** Imports one or a few envelopes for one lane. */
  readonly turn: (signal: AbortSignal) => Promise<TurnEnd>;
  /** Once aborted, running imports end and no new ones start. */
  readonly signal: AbortSignal;
};

/**
 * Imports envelopes of one link in this process, `lanes` at a time. Stops when there are none left, or when the link's
 * state or the account's budget requires a wait. A fault stops all lanes and is thrown once they have ended.
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
  while (!work.signal.aborted && (await findWait(deps, work.linkId, work.foundBy)) === null)
    if ((await work.turn(work.signal)) === "nothing-due") return;
}

/** Returns what keeps the link from importing now, or null. The account's budget paces a first import. */
export async function findWait(
  deps: Uses<"budgets" | "db" | "now">,
  linkId: LinkId,
  foundBy: FoundBy,
): Promise<WaitingCause | null> {
  const link = await findLink(deps.db, linkId);
  const isListed = link !== null && foundBy === "reconciliation" && isFirstImport(link);
  return await findLinkWait(deps, link, isListed ? "listing" : "event");
}

export function emptyTally(): ImportTally {
  return { imported: 0, settled: 0, excluded: 0, waiting: 0, unknown: 0, busy: 0, "link-ended": 0 };
}
