import { setTimeout as sleep } from "node:timers/promises";
import { type WaitingCause, whyLinkWaits } from "../../domain/link-wait.ts";
import { ALL_HISTORY } from "../../domain/window.ts";
import type { Database } from "../../store/database.ts";
import { claimNextDue } from "../../store/ledger/claims.ts";
import { countDue, countParked, countWaitingByCause } from "../../store/ledger/counts.ts";
import { findRunning, type Reconciliation } from "../../store/ledger/reconciliations.ts";
import { hasLeased, nextDueAt } from "../../store/ledger/waiting-envelopes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { endFirstImport } from "../importing/first-import.ts";
import { LEASE_MS } from "../importing/import-envelope.ts";
import { emptyTally, findWait, type ImportTally, importNow } from "../importing/import-now.ts";
import { wakeBacklog } from "../importing/wake-backlog.ts";
import { type ReconcileStep, reconcileStep } from "../reconciling/reconcile-link.ts";
import { windowStart } from "../reconciling/window.ts";

type Deps = Uses<
  "adminProfiles" | "budgets" | "db" | "documents" | "lanes" | "log" | "now" | "openAccount" | "publicUrl"
>;

/** What completed from `from` until `to`; null: as an hourly reconciliation would, until now. */
export type AskedWindow = { readonly from: Date | null; readonly to: Date | null };

export type Progress =
  | { readonly phase: "listing"; readonly listed: number }
  | { readonly phase: "importing"; readonly done: number; readonly total: number };

export type NowOptions = AskedWindow & {
  /** Once aborted, what is under way ends, and the next reconciliation goes on from there. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
};

/** What keeps a command from doing all of it now, and until when; null where no moment is known. */
export type Obstacle = {
  readonly reason: WaitingCause["reason"] | "interrupted";
  readonly until: Date | null;
};

export type ReconciledLink = {
  /** As it is now. */
  readonly link: Link;
  /** The runs that were ended: the one asked for, and before it one that was under way. */
  readonly runs: readonly Reconciliation[];
  /** How the imports of this process ended; others may import beside it. */
  readonly imports: ImportTally;
  /** Envelopes of the link that still wait, by cause. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Those of them that wait until someone takes them up again. */
  readonly failed: number;
  /** Calls to DocuSign, imports included. */
  readonly calls: number;
  readonly durationMs: number;
  readonly obstacle: Obstacle | null;
};

/**
 * Reconciles a link and carries out the imports that this finds, a first import included, until each has ended or
 * waits for a named cause (service.md, settled details). Works beside running workers; nothing is imported twice.
 */
export async function reconcileNow(deps: Deps, link: Link, options: NowOptions): Promise<ReconciledLink> {
  const startedAt = deps.now();
  let calls = 0;
  const counting: Deps = {
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

/** The window in full, for the link as it is; `from` is null where it joins on to what is accounted for. */
export function settleWindow(link: Link, asked: AskedWindow, now: Date): { from: Date | null; to: Date } {
  const to = asked.to === null || asked.to > now ? now : asked.to;
  if (asked.from !== null || asked.to === null) return { from: asked.from, to };
  const usual = windowStart(link);
  return { from: usual < to ? usual : ALL_HISTORY, to };
}

type Listing = { readonly runs: Reconciliation[]; readonly obstacle: Obstacle | null };

async function listAll(
  deps: Omit<Deps, "documents" | "lanes">,
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

/** What keeps the listing from going on; while another process is at it, its turn is waited for. */
async function findObstacle(step: Exclude<ReconcileStep, { kind: "done" }>): Promise<Obstacle | null> {
  if (step.kind === "more") return null;
  if (step.kind === "not-importing") {
    const reason = whyLinkWaits(step.link);
    // Another process has repaired the link meanwhile.
    return reason === null ? null : { reason, until: null };
  }
  const { reason, until } = step;
  if (reason !== "busy") return { reason, until };
  await sleep(POLL_MS);
  return null;
}

/** Longer than anybody's lease lasts: by then it is due again, and ours. */
const MOST_POLLS = 300;

async function importBacklog(
  deps: Omit<Deps, "publicUrl">,
  link: Link,
  options: NowOptions,
): Promise<ImportTally> {
  const tally = emptyTally();
  let done = 0;
  let total = 0;
  for (let poll = 0; poll < MOST_POLLS; poll += 1) {
    total = Math.max(total, done + (await countDue(deps.db, link.id, deps.now())));
    if (total > done) options.onProgress({ phase: "importing", done, total });
    await importNow(deps, {
      linkId: link.id,
      foundBy: "reconciliation",
      next: async () => await claimDue(deps, link),
      signal: options.signal,
      onEnded: ({ kind }) => {
        tally[kind] += 1;
        done += 1;
        options.onProgress({ phase: "importing", done, total: Math.max(done, total) });
      },
    });
    if (options.signal.aborted || !(await isInOtherHands(deps, link))) break;
    await sleep(POLL_MS);
  }
  await leaveRest(deps, link);
  return tally;
}

async function claimDue(deps: Uses<"db" | "now">, link: Link) {
  const now = deps.now();
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  return await claimNextDue(deps.db, { linkId: link.id, now, leaseUntil });
}

/** A worker beside us may import what our listing found, and may die while it does. */
async function isInOtherHands(deps: Uses<"budgets" | "db" | "now">, link: Link): Promise<boolean> {
  if ((await findWait(deps, link.id, "reconciliation")) !== null) return false;
  return await hasLeased(deps.db, link.id, deps.now());
}

/** What waits for a time is a worker's when that has come. */
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

/** What of the link's envelopes could not be done now, though the link itself could. */
async function findRemains(
  deps: Uses<"db" | "now">,
  link: Link,
  { options, causes }: { options: NowOptions; causes: Readonly<Record<string, number>> },
): Promise<Obstacle | null> {
  const isStopped = options.signal.aborted && (await countDue(deps.db, link.id, deps.now())) > 0;
  if (isStopped) return { reason: "interrupted", until: null };
  return await findPassing(deps.db, link, causes);
}

/** What keeps some of the link's envelopes waiting for DocuSign, and until when; null where nothing does. */
export async function findPassing(
  db: Database,
  link: Link,
  causes: Readonly<Record<string, number>>,
): Promise<Obstacle | null> {
  const reason = PASSING_CAUSES.find((cause) => causes[cause] !== undefined);
  return reason === undefined ? null : { reason, until: await nextDueAt(db, link.id) };
}

/** Waits that end by themselves: when the account's next hour begins, or when DocuSign is itself again. */
const PASSING_CAUSES = [
  "account-throttled",
  "budget-reserve",
  "docusign-unavailable",
  "not-found-yet",
] as const;
