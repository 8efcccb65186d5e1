import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { faultFacts } from "../../docusign/faults/fault-facts.ts";
import { decideFault } from "../../domain/fault-policy.ts";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import { ALL_HISTORY } from "../../domain/window.ts";
import type { Link } from "../../store/links/links.ts";
import { findListingPace } from "../../store/links/listing-pace.ts";
import type { Uses } from "../capabilities.ts";
import { findQuestionWait } from "../importing/waiting-cause.ts";
import { judgeListed, type ListedRow } from "../reconciling/judge-listed.ts";
import { type Cursor, listPage, startOfListing } from "../reconciling/list-page.ts";
import { windowStart } from "../reconciling/window.ts";
import { type NowOptions, type Obstacle, settleWindow } from "./reconcile-now.ts";

/**
 * The action that a reconciliation would take on an envelope.
 * - `import`: import it
 * - `excluded`: exclude it by the named rule
 * - `undecided`: fetch it, because the listing omits what the rules need
 * - `waiting`: nothing new, it already waits
 * - `imported`, `deleted`: nothing, ever
 */
export type DryRunEnvelope = {
  readonly envelopeId: EnvelopeId;
  readonly completedAt: Date | null;
  readonly outcome: "import" | "excluded" | "undecided" | "waiting" | "imported" | "deleted";
  readonly reason: string;
};

export type DryRunReconciliation = {
  readonly link: Link;
  readonly from: Date;
  readonly to: Date;
  /** In the order of the listings, each envelope once. */
  readonly envelopes: readonly DryRunEnvelope[];
  /** The number of calls to DocuSign. */
  readonly calls: number;
  readonly obstacle: Obstacle | null;
};

/**
 * Lists and decides as a reconciliation would, but changes neither the ledger nor the link, and adds no reconciliation
 * entry. Also works for a link that awaits approval.
 */
export async function dryRunReconciliation(
  deps: Uses<"budgets" | "db" | "now" | "openAccount">,
  link: Link,
  options: NowOptions,
): Promise<DryRunReconciliation> {
  const { from, to } = settleWindow(link, options, deps.now());
  const window = { from: from ?? usualFrom(link), to };
  const found = new Map<EnvelopeId, DryRunEnvelope>();
  let calls = 0;
  const count = (): void => {
    calls += 1;
  };
  const account = deps.openAccount(link, count, "dry-run");
  const take = (rows: readonly ListedRow[]): void => {
    for (const row of rows) if (!found.has(row.envelope.id)) found.set(row.envelope.id, predict(row));
    options.onProgress({ phase: "listing", listed: found.size });
  };
  const obstacle = await listAll(deps, { link, account, window, take, signal: options.signal });
  return { link, ...window, envelopes: [...found.values()], calls, obstacle };
}

function usualFrom(link: Link): Date {
  return link.firstImport.listedAt === null ? ALL_HISTORY : windowStart(link);
}

type Listing = {
  readonly link: Link;
  readonly account: DocuSignAccount;
  readonly window: { readonly from: Date; readonly to: Date };
  readonly take: (rows: readonly ListedRow[]) => void;
  readonly signal: AbortSignal;
};

async function listAll(deps: Uses<"budgets" | "db" | "now">, listing: Listing): Promise<Obstacle | null> {
  const { link, account, window, take, signal } = listing;
  for (let cursor: Cursor | null = startOfListing(window.from); cursor !== null; ) {
    if (signal.aborted) return { reason: "interrupted", until: null };
    const obstacle = await findQuestionWait(deps, link, "other");
    if (obstacle !== null) return obstacle;
    try {
      const page = await listPage(account, { ...window, ...cursor }, await findListingPace(deps.db, link.id));
      take(await judgeListed(deps, link, page));
      cursor = page.next;
    } catch (error) {
      return await readFault(deps, link, error);
    }
  }
  return null;
}

async function readFault(deps: Uses<"budgets" | "now">, link: Link, error: unknown): Promise<Obstacle> {
  const reaction = decideFault(faultFacts(error), { step: "dry-run" }, deps.now());
  if (reaction.kind !== "wait") throw error;
  const { reason, until, accountPausedUntil } = reaction;
  if (accountPausedUntil !== null) await deps.budgets.pause(link.account.id, accountPausedUntil);
  return { reason, until };
}

function predict({ envelope, entry, decision }: ListedRow): DryRunEnvelope {
  const { id: envelopeId, completedAt } = envelope;
  const isSettled = entry?.state === "imported" || entry?.state === "deleted" || entry?.state === "waiting";
  if (isSettled) return { envelopeId, completedAt, outcome: entry.state, reason: entry.reason };
  const outcome = OUTCOMES[decision.kind];
  return { envelopeId, completedAt, outcome, reason: decision.reason };
}

const OUTCOMES = { import: "import", exclude: "excluded", undecided: "undecided" } as const;
