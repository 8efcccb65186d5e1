import type { LinkId } from "../domain/identifiers.ts";
import type { Database } from "../store/database.ts";
import { claimNextDue, countDue, nextDueAt } from "../store/envelopes.ts";
import { changeLink, findLink, type Link } from "../store/links.ts";
import { enqueueBacklog } from "../store/queue.ts";
import { type ImportDeps, importEnvelope } from "./import-envelope.ts";

export type BacklogDeps = ImportDeps & {
  /** How many envelopes of one link are imported at once. */
  lanes: number;
};

/** A lane gives its worker back after this long, so that links take turns. */
const TURN_MS = 1_000;
const TURN_ENVELOPES = 20;
const LEASE_MS = 2 * 60 * 1000;

/** Starts the link's backlog: at once where an envelope is due, otherwise when the next one is. */
export async function wakeBacklog(db: Database, linkId: LinkId, now: Date): Promise<void> {
  const due = await nextDueAt(db, linkId);
  const link = due === null ? null : await findLink(db, linkId);
  if (due === null || link?.state !== "active") return;
  await enqueueBacklog(db, { linkId, lane: 0, runAt: due <= now ? null : due, first: isFirstImport(link) });
}

/** Whether the link's first import still goes on. */
export function isFirstImport(link: Link): boolean {
  return link.firstImport.doneAt === null;
}

/**
 * One turn of one lane: imports due envelopes of the ledger one after the other, then queues the next turn. A
 * first import is paced by the account's budget. The first lane calls the others where there is work for them.
 */
export async function runBacklogTurn(
  deps: BacklogDeps,
  turn: { linkId: LinkId; lane: number; signal: AbortSignal },
): Promise<void> {
  const link = await findLink(deps.db, turn.linkId);
  if (link?.state !== "active") return;
  const first = isFirstImport(link);
  const pace = await deps.budgets.pace(link.account.id, first ? "first-import" : "other");
  if (pace.kind === "wait") {
    if (turn.lane === 0) await enqueueBacklog(deps.db, { ...turn, runAt: pace.until, first });
    return;
  }
  if (turn.lane === 0) await callLanes(deps, link, first);
  await importDue(deps, turn);
  await queueNextTurn(deps, turn, first);
}

async function callLanes(deps: BacklogDeps, link: Link, first: boolean): Promise<void> {
  const lanes = Math.min(deps.lanes, await countDue(deps.db, link.id, deps.now()));
  for (let lane = 1; lane < lanes; lane += 1) {
    await enqueueBacklog(deps.db, { linkId: link.id, lane, runAt: null, first });
  }
}

async function importDue(deps: BacklogDeps, turn: { linkId: LinkId; signal: AbortSignal }): Promise<void> {
  const startedAt = deps.now().getTime();
  for (let count = 0; count < TURN_ENVELOPES && !turn.signal.aborted; count += 1) {
    const now = deps.now();
    if (now.getTime() - startedAt >= TURN_MS) return;
    const leaseUntil = new Date(now.getTime() + LEASE_MS);
    const envelopeId = await claimNextDue(deps.db, { linkId: turn.linkId, now, leaseUntil });
    if (envelopeId === null) return;
    const outcome = await importEnvelope(deps, {
      linkId: turn.linkId,
      envelopeId,
      foundBy: "reconciliation",
    });
    if (
      outcome.kind === "link-ended" ||
      (outcome.kind === "waiting" && outcome.reason !== "docusign-unavailable")
    )
      return;
  }
}

async function queueNextTurn(
  deps: BacklogDeps,
  turn: { linkId: LinkId; lane: number },
  first: boolean,
): Promise<void> {
  const due = await nextDueAt(deps.db, turn.linkId);
  const link = await findLink(deps.db, turn.linkId);
  const now = deps.now();
  if (link?.state !== "active") return;
  if (due === null) await endFirstImport(deps.db, link, now);
  else if (due <= now) await enqueueBacklog(deps.db, { ...turn, runAt: null, first });
  else if (turn.lane === 0) await enqueueBacklog(deps.db, { ...turn, runAt: due, first });
}

/** The first import is over once everything is listed and nothing of it is due any more. */
export async function endFirstImport(db: Database, link: Link, now: Date): Promise<void> {
  if (link.firstImport.listedAt === null || link.firstImport.doneAt !== null) return;
  await changeLink(db, link.id, { firstImportDoneAt: now });
}
