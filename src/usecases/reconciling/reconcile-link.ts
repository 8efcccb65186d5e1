import { faultFacts } from "../../docusign/faults/fault-facts.ts";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import { decideFault, type FaultWait } from "../../domain/fault-policy.ts";
import type { Reasons } from "../../domain/finding.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import { slower } from "../../domain/listing-pace.ts";
import { ALL_HISTORY } from "../../domain/window.ts";
import type { Database } from "../../store/database.ts";
import {
  addCalls,
  findRunning,
  type Reconciliation,
  type ReconciliationKind,
  startReconciliation,
} from "../../store/ledger/reconciliations.ts";
import { recordNotice, removeNotice } from "../../store/links/link-notices.ts";
import { awaitApproval, changeLink } from "../../store/links/link-writes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import { findListingPace, storeListingPace } from "../../store/links/listing-pace.ts";
import type { CallKind, Uses } from "../capabilities.ts";
import { askAdmin, checkAdmin, failLink } from "../health/link-health.ts";
import { isUncounted } from "../importing/first-import.ts";
import { findCallsWait } from "../importing/waiting-cause.ts";
import { wakeBacklog } from "../importing/wake-backlog.ts";
import { finishReconciliation } from "./finish-reconciliation.ts";
import { reconcileAlone } from "./lock.ts";
import { type PageEnd, type PageWork, reconcilePage } from "./reconcile-page.ts";
import { windowStart } from "./window.ts";

type Deps = Uses<
  "adminProfiles" | "budgets" | "db" | "largeImport" | "log" | "now" | "openAccount" | "publicUrl"
>;

export type ReconcileRequest = {
  readonly linkId: LinkId;
  /** The run accounts for what completed before this time. */
  readonly to: Date;
  /** True if an operator requests the run: parked envelopes are then retried, however recently they were tried. */
  readonly manual?: boolean;
  /** Limits the window to completions from here to `to`. By default, it continues from what is accounted for. */
  readonly from?: Date;
};

export type ReconcileStep =
  /** A page is done and more work follows. `ended` is the run that this page completed, if another run follows it. */
  | { readonly kind: "more"; readonly first: boolean; readonly ended: Reconciliation | null }
  | { readonly kind: "done"; readonly reconciliation: Reconciliation }
  /** The next step must wait until then. `busy`: another process is running a step of the same link. */
  | PutOff
  /** The link is not importing: it has ended, is paused, awaits approval or is in error. */
  | { readonly kind: "not-importing"; readonly link: Link | null };

type PutOff = {
  readonly kind: "put-off";
  readonly until: Date;
  readonly reason: Reasons["waiting"] | "busy";
};

/** Slightly less than a day, because runs start at slightly different times each day. */
const FULL_EVERY_MS = 23.5 * 60 * 60 * 1000;
const BUSY_MS = 5 * 1000;
/** The reason of a listing that DocuSign does not answer, and the notice of its link. */
const UNAVAILABLE = "docusign-unavailable";

/**
 * Runs one step of a link's reconciliation. Starts a run if none is in progress, then records one page of the listing
 * in the ledger. After the last page, checks the link's health and wakes the backlog.
 * When the step returns `done`, everything requested is accounted for (import-rules 0 and 3). Each step continues from
 * the stored position, and finishes another run first if one is in progress. Steps of one link never overlap, in any
 * process.
 */
export async function reconcileStep(deps: Deps, request: ReconcileRequest): Promise<ReconcileStep> {
  const link = await findLink(deps.db, request.linkId);
  if (link === null) return { kind: "not-importing", link };
  try {
    if (!(await mayReconcile(deps, link))) return await notImporting(deps.db, link);
  } catch (error) {
    return await afterFault(deps, link, "user", error);
  }
  const wait = await findCallsWait(deps, link, kindOfCalls(link));
  if (wait !== null) return { kind: "put-off", ...wait };
  const step = await reconcileAlone(deps.db, link.id, async () => await stepAlone(deps, request));
  return step ?? { kind: "put-off", until: new Date(deps.now().getTime() + BUSY_MS), reason: "busy" };
}

async function notImporting(db: Database, { id }: Link): Promise<ReconcileStep> {
  return { kind: "not-importing", link: await findLink(db, id) };
}

/** Listing all history is part of the first import and is paced like it. */
function kindOfCalls(link: Link): CallKind {
  return link.firstImport.listedAt === null ? "first-import" : "other";
}

async function stepAlone(deps: Deps, request: ReconcileRequest): Promise<ReconcileStep> {
  const link = await findLink(deps.db, request.linkId);
  if (link === null || link.state === "ended" || link.state === "paused")
    return { kind: "not-importing", link };
  const run = (await findRunning(deps.db, link.id)) ?? (await start(deps, link, request));
  let calls = 0;
  const count = (): void => {
    calls += 1;
  };
  const account = deps.openAccount(link, count, kindOfCalls(link));
  try {
    const page = await reconcilePage(deps, { link, run, account });
    const next = await afterPage(deps, link, run, page);
    if (next !== null) return next;
    const ended = await finish(deps, request, { link, run, account });
    return await afterRun(deps, request, { ...ended, calls: ended.calls + calls });
  } catch (error) {
    return await afterFault(deps, link, "listing", error);
  } finally {
    await addCalls(deps.db, run.id, calls);
  }
}

/** Returns the end of the step, or null if the run has listed everything. */
async function afterPage(
  deps: Deps,
  link: Link,
  run: Reconciliation,
  page: PageEnd,
): Promise<ReconcileStep | null> {
  if (typeof page !== "string") return await slowDown(deps, link, page.tooMuch);
  if (link.notice?.code === UNAVAILABLE) await removeNotice(deps.db, link.id, UNAVAILABLE);
  if (await asksOwner(deps, link, run)) return await notImporting(deps.db, link);
  return page === "more" ? { kind: "more", first: run.kind === "first", ended: null } : null;
}

async function finish(deps: Deps, request: ReconcileRequest, work: PageWork): Promise<Reconciliation> {
  const { link } = work;
  // The imports need not wait for the health check.
  await wakeBacklog(deps.db, link.id, deps.now());
  const run = (await findRunning(deps.db, link.id)) ?? work.run;
  const manual = request.manual ?? false;
  return await finishReconciliation(deps, { ...work, run, manual, isOvertaken: run.to < request.to });
}

/** Continues if the run that ended was not the requested one: it may be an earlier hour's, or another window. */
async function afterRun(
  deps: Uses<"db" | "now">,
  request: ReconcileRequest,
  ended: Reconciliation,
): Promise<ReconcileStep> {
  const link = await findLink(deps.db, ended.linkId);
  if (link === null || link.state === "ended" || isOver(request, { link, ended, now: deps.now() }))
    return { kind: "done", reconciliation: ended };
  return { kind: "more", first: link.firstImport.listedAt === null, ended };
}

function isOver(
  request: ReconcileRequest,
  { link, ended, now }: { link: Link; ended: Reconciliation; now: Date },
): boolean {
  return isAnswered(request, ended, link) && !isFullDue(link, request, now);
}

function isAnswered({ from, to }: ReconcileRequest, run: Reconciliation, link: Link): boolean {
  if (from !== undefined) return +run.from === +from && +run.to === +to;
  return hasReached(link, to);
}

/** Returns true if everything that completed before the given time is accounted for. */
function hasReached({ sentReached, receivedReached, firstImport }: Link, to: Date): boolean {
  if (sentReached === null || receivedReached === null || firstImport.listedAt === null) return false;
  return sentReached >= to && receivedReached >= to;
}

/**
 * Decides if the link may be listed now.
 * A missing group stops imports, not reconciliation. Nothing is listed before the approval, nor during a pause. A link in
 * error may have recovered: the admin right may be back, or DocuSign may have rejected a token of a valid authorization. A
 * link that awaits approval or is paused makes no other calls, so the check here is what notices a revoked authorization.
 */
async function mayReconcile(
  deps: Uses<"adminProfiles" | "db" | "now" | "openAccount">,
  link: Link,
): Promise<boolean> {
  if (link.state === "active") return true;
  const isHeld = link.approval === "awaited" || link.pausedAt !== null;
  if (mustAskAdmin(link, deps.now())) await askAdmin(deps, link, deps.openAccount(link));
  if (link.state !== "error") return false;
  if (link.cause === "group-missing") return !isHeld;
  return (await checkAdmin(deps, link, deps.openAccount(link))) && !isHeld;
}

/** A pause may last for months, so its check runs once a day. It also refreshes the tokens. */
function mustAskAdmin({ state, cause, pausedAt, checkedAt }: Link, now: Date): boolean {
  if (state === "awaiting-approval") return true;
  const isQuiet = state === "paused" || (cause === "group-missing" && pausedAt !== null);
  return isQuiet && (checkedAt === null || checkedAt.getTime() + FULL_EVERY_MS <= now.getTime());
}

async function start(
  deps: Uses<"db" | "now">,
  link: Link,
  request: ReconcileRequest,
): Promise<Reconciliation> {
  const now = deps.now();
  const kind = kindOf(link, request, now);
  if (kind === "first")
    await changeLink(deps.db, link.id, { firstImportStartedAt: link.firstImport.startedAt ?? now });
  const usual = kind === "hourly" || kind === "manual" ? windowStart(link) : ALL_HISTORY;
  return await startReconciliation(deps.db, {
    linkId: link.id,
    tenant: link.tenant,
    kind,
    from: request.from ?? usual,
    to: request.to,
    now,
  });
}

/** A run with its own window is neither a first import nor a full check. */
function kindOf(link: Link, request: ReconcileRequest, now: Date): ReconciliationKind {
  if (request.from !== undefined) return "manual";
  if (link.firstImport.listedAt === null) return "first";
  if (request.manual === true) return "manual";
  return isFullDue(link, request, now) ? "full" : "hourly";
}

/** The full check runs after the hourly run, so that new envelopes do not wait for a listing of all history. */
function isFullDue(link: Link, { from, to, manual }: ReconcileRequest, now: Date): boolean {
  return from === undefined && manual !== true && hasReached(link, to) && isFullCheckDue(link, now);
}

/** The daily check compares the ledger with DocuSign's whole listing. It begins once the first listing is through. */
export function isFullCheckDue({ fullyCheckedAt, firstImport: { listedAt } }: Link, now: Date): boolean {
  return listedAt !== null && (fullyCheckedAt ?? listedAt).getTime() + FULL_EVERY_MS <= now.getTime();
}

/**
 * Stops a first listing whose envelopes DocuSign could not count, as soon as there are enough for an approval. It goes on
 * once the owner has approved.
 */
async function asksOwner(
  { db, largeImport }: Uses<"db" | "largeImport">,
  link: Link,
  { kind }: Reconciliation,
): Promise<boolean> {
  if (kind !== "first" || !isUncounted(link) || link.approval !== "not-needed") return false;
  const run = await findRunning(db, link.id);
  if (run === null || run.listed < largeImport) return false;
  await awaitApproval(db, link.id);
  return true;
}

/** Lets the link's next page ask for less. */
async function slowDown(deps: Deps, link: Link, fault: DocuSignFault): Promise<ReconcileStep> {
  const pace = await findListingPace(deps.db, link.id);
  await storeListingPace(deps.db, link.id, slower(pace), deps.now());
  return await afterFault(deps, link, "page", fault);
}

/** Keeps the run in progress, so that it continues from its page, unless a person must repair the link first. */
async function afterFault(
  deps: Omit<Deps, "publicUrl">,
  link: Link,
  failed: "page" | "listing" | "user",
  error: unknown,
): Promise<ReconcileStep> {
  if (error instanceof DocuSignFault)
    deps.log.warn({ linkId: link.id, fault: error.code, kind: error.kind }, "reconciliation postponed");
  const step = failed === "user" ? "user" : "listing";
  const reaction = decideFault(faultFacts(error), { step }, deps.now());
  switch (reaction.kind) {
    case "wait":
      // A page that was too large says that DocuSign is slow, not that it is away.
      if (failed !== "page" && reaction.reason === UNAVAILABLE)
        await recordNotice(deps.db, link.id, UNAVAILABLE, deps.now());
      return await putOff(deps, link, reaction);
    case "fail-link":
      await failLink(deps.db, link, reaction.cause);
      return await notImporting(deps.db, link);
    case "not-found":
    case "throw":
      throw error;
  }
}

async function putOff(
  deps: Omit<Deps, "publicUrl">,
  link: Link,
  wait: FaultWait<Date>,
): Promise<ReconcileStep> {
  if (wait.asksUser && (await askAdmin(deps, link, deps.openAccount(link))) === "not-admin")
    return await notImporting(deps.db, link);
  if (wait.accountPausedUntil !== null) await deps.budgets.pause(link.account.id, wait.accountPausedUntil);
  return { kind: "put-off", until: wait.until, reason: wait.reason };
}
