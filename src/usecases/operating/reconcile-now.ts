import { setTimeout as sleep } from "node:timers/promises";
import type { LinkId } from "../../domain/identifiers.ts";
import { type WaitingCause, whyLinkWaits } from "../../domain/link-wait.ts";
import { ALL_HISTORY } from "../../domain/window.ts";
import type { Database } from "../../store/database.ts";
import { countDue, countParked, countWaitingByCause } from "../../store/ledger/counts.ts";
import { findRunning, type Reconciliation } from "../../store/ledger/reconciliations.ts";
import { hasLeased, nextDueAt } from "../../store/ledger/waiting-envelopes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { endFirstImport } from "../importing/first-import.ts";
import type { ImportUses } from "../importing/import-envelope.ts";
import { importTurn, type LaneTurn, type TurnEnd } from "../importing/import-lane.ts";
import { emptyTally, findWait, type ImportTally, importNow } from "../importing/import-now.ts";
import type { ImportOutcome } from "../importing/outcome.ts";
import { wakeBacklog } from "../importing/wake-backlog.ts";
import { type ReconcileStep, reconcileStep } from "../reconciling/reconcile-link.ts";
import { windowStart } from "../reconciling/window.ts";

export type ReconcileUses = ImportUses & Uses<"lanes" | "largeImport" | "publicUrl">;

/** The range of completion times. Null `from`: as in an hourly reconciliation. Null `to`: until now. */
export type RequestedWindow = { readonly from: Date | null; readonly to: Date | null };

export type Progress =
  | { readonly phase: "listing"; readonly listed: number }
  | { readonly phase: "importing"; readonly done: number; readonly total: number };

export type NowOptions = RequestedWindow & {
  /** Once aborted, running work ends; the next reconciliation continues from there. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
};

/** The reason why a command cannot finish now. `until` is null if the time is unknown. */
export type Obstacle = {
  readonly reason: WaitingCause["reason"] | "interrupted";
  readonly until: Date | null;
  /** The document store's own error code. */
  readonly code?: string;
};

export type ReconciledLink = {
  /** The link after the command. */
  readonly link: Link;
  /** The runs that this command ended: the requested one, and an earlier unfinished one if there was any. */
  readonly runs: readonly Reconciliation[];
  /** The outcomes of the imports in this process. Workers may have imported other envelopes meanwhile. */
  readonly imports: ImportTally;
  /** The link's envelopes that still wait, by cause. */
  readonly waiting: Readonly<Record<string, number>>;
  /** The parked ones among them, which wait until a retry is requested. */
  readonly failed: number;
  /** The number of calls to DocuSign, including those of imports. */
  readonly calls: number;
  readonly durationMs: number;
  readonly obstacle: Obstacle | null;
};

/**
 * Reconciles a link and runs the imports that it finds, including a first import. Ends when each import has ended or
 * waits for a named cause (service.md, settled details). Safe while workers are running: nothing is imported twice.
 */
export async function reconcileNow(
  deps: ReconcileUses,
  link: Link,
  options: NowOptions,
): Promise<ReconciledLink> {
  const startedAt = deps.now();
  let calls = 0;
  const counting: ReconcileUses = {
    ...deps,
    openAccount: (of, onCall, kind) => {
      const count = (): void => {
        calls += 1;
        onCall?.();
      };
      return deps.openAccount(of, count, kind);
    },
  };
  const listing = await listAll(counting, link, options);
  const imports = listing.obstacle === null ? await importBacklog(counting, link, options) : emptyTally();
  const rest = await readRest(deps, link, { options, obstacle: listing.obstacle });
  const durationMs = deps.now().getTime() - startedAt.getTime();
  return { ...rest, runs: listing.runs, imports, calls, durationMs };
}

/**
 * Completes the requested window for the link's current state. A null `from` continues from what is accounted for.
 */
export function settleWindow(
  link: Link,
  requested: RequestedWindow,
  now: Date,
): { from: Date | null; to: Date } {
  const to = requested.to === null || requested.to > now ? now : requested.to;
  if (requested.from !== null || requested.to === null) return { from: requested.from, to };
  const usual = windowStart(link);
  return { from: usual < to ? usual : ALL_HISTORY, to };
}

type Listing = { readonly runs: Reconciliation[]; readonly obstacle: Obstacle | null };

async function listAll(
  deps: Omit<ReconcileUses, "documents" | "lanes">,
  link: Link,
  options: NowOptions,
): Promise<Listing> {
  const { from, to } = settleWindow(link, options, deps.now());
  const request = { linkId: link.id, to, manual: true, ...(from !== null && { from }) };
  const runs: Reconciliation[] = [];
  while (!options.signal.aborted) {
    const step = await reconcileStep(deps, request);
    const ended = endedBy(step);
    if (ended !== null) runs.push(ended);
    if (step.kind === "done") return { runs, obstacle: null };
    const obstacle = await findObstacle(step);
    if (obstacle !== null) return { runs, obstacle };
    const listed = (await findRunning(deps.db, link.id))?.listed ?? ended?.listed ?? 0;
    options.onProgress({ phase: "listing", listed });
  }
  return { runs, obstacle: { reason: "interrupted", until: null } };
}

function endedBy(step: ReconcileStep): Reconciliation | null {
  if (step.kind === "done") return step.reconciliation;
  return step.kind === "more" ? step.ended : null;
}

const POLL_MS = 500;

/** Returns what stops the listing, or null to continue. If another process holds the lock, waits a moment first. */
async function findObstacle(step: Exclude<ReconcileStep, { kind: "done" }>): Promise<Obstacle | null> {
  if (step.kind === "more") return null;
  if (step.kind === "not-importing") {
    const reason = whyLinkWaits(step.link);
    // A null reason means that another process has repaired the link meanwhile.
    return reason === null ? null : { reason, until: null };
  }
  const { reason, until } = step;
  if (reason !== "busy") return { reason, until };
  await sleep(POLL_MS);
  return null;
}

/** Longer than any lease: by then the envelope is due again and can be claimed here. */
const MOST_POLLS = 300;

async function importBacklog(
  deps: Omit<ReconcileUses, "publicUrl">,
  link: Link,
  options: NowOptions,
): Promise<ImportTally> {
  const tally = emptyTally();
  let done = 0;
  let total = 0;
  const onEnded = ({ kind }: ImportOutcome): void => {
    tally[kind] += 1;
    done += 1;
    options.onProgress({ phase: "importing", done, total: Math.max(done, total) });
  };
  for (let poll = 0; poll < MOST_POLLS; poll += 1) {
    total = Math.max(total, done + (await countDue(deps.db, link.id, deps.now())));
    if (total > done) options.onProgress({ phase: "importing", done, total });
    await importNow(deps, {
      linkId: link.id,
      foundBy: "reconciliation",
      turn: async (signal) => await importDue(deps, link.id, { signal, onEnded }),
      signal: options.signal,
    });
    if (options.signal.aborted || !(await isLeasedElsewhere(deps, link))) break;
    await sleep(POLL_MS);
  }
  await leaveRest(deps, link);
  return tally;
}

async function importDue(
  deps: ImportUses,
  linkId: LinkId,
  turn: Pick<LaneTurn, "onEnded" | "signal">,
): Promise<TurnEnd> {
  const link = await findLink(deps.db, linkId);
  return link === null ? "nothing-due" : await importTurn(deps, { ...turn, link, held: false });
}

/** A worker may be importing what this listing found, and may die while it does. */
async function isLeasedElsewhere(deps: Uses<"budgets" | "db" | "now">, link: Link): Promise<boolean> {
  if ((await findWait(deps, link.id, "reconciliation")) !== null) return false;
  return await hasLeased(deps.db, link.id, deps.now());
}

/** Leaves envelopes that wait for a later time to the workers. */
async function leaveRest(deps: Uses<"db" | "now">, { id }: Link): Promise<void> {
  const link = await findLink(deps.db, id);
  const now = deps.now();
  if (link !== null && (await nextDueAt(deps.db, id)) === null) await endFirstImport(deps.db, link, now);
  await wakeBacklog(deps.db, id, now);
}

type Rest = Pick<ReconciledLink, "link" | "waiting" | "failed" | "obstacle">;

async function readRest(
  deps: Uses<"budgets" | "db" | "now">,
  before: Link,
  { options, obstacle }: { options: NowOptions; obstacle: Obstacle | null },
): Promise<Rest> {
  const link = (await findLink(deps.db, before.id)) ?? before;
  const wait = await findWait(deps, link.id, "reconciliation");
  const causes = await countWaitingByCause(deps.db, link.id);
  const total = Object.values(causes).reduce((sum, count) => sum + count, 0);
  const isKept = wait !== null && (link.state !== "active" || total > 0);
  return {
    link,
    waiting: wait === null || total === 0 ? causes : { [wait.reason]: total },
    failed: await countParked(deps.db, link.id),
    obstacle: obstacle ?? (isKept ? wait : await findRemains(deps, link, { options, causes })),
  };
}

/** Returns why some envelopes could not be done now although the link itself can import; null if none remain. */
async function findRemains(
  deps: Uses<"db" | "now">,
  link: Link,
  { options, causes }: { options: NowOptions; causes: Readonly<Record<string, number>> },
): Promise<Obstacle | null> {
  const isStopped = options.signal.aborted && (await countDue(deps.db, link.id, deps.now())) > 0;
  if (isStopped) return { reason: "interrupted", until: null };
  return await findPassing(deps.db, link, causes);
}

/** Returns what keeps some of the link's envelopes waiting for DocuSign, and until when; null if nothing does. */
export async function findPassing(
  db: Database,
  link: Link,
  causes: Readonly<Record<string, number>>,
): Promise<Obstacle | null> {
  const reason = PASSING_CAUSES.find((cause) => causes[cause] !== undefined);
  return reason === undefined ? null : { reason, until: await nextDueAt(db, link.id) };
}

/** Causes that end without the owner: the account's next hour begins, or DocuSign or the document store recovers. */
const PASSING_CAUSES = [
  "account-throttled",
  "budget-reserve",
  "docusign-unavailable",
  "document-store-unavailable",
  "not-found-yet",
] as const;
