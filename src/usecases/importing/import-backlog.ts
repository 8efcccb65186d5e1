import type { LinkId } from "../../domain/identifiers.ts";
import type { Pace } from "../../domain/pace.ts";
import { countDue } from "../../store/ledger/counts.ts";
import { nextDueAt } from "../../store/ledger/waiting-envelopes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import { enqueueBacklog } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { endFirstImport, isFirstImport, isImporting } from "./first-import.ts";
import type { ImportUses } from "./import-envelope.ts";
import { importTurn } from "./import-lane.ts";
import { findLinkWait } from "./waiting-cause.ts";

type Deps = ImportUses & Uses<"lanes" | "metrics">;

const GO: Pace = { kind: "go" };

export type Turn = { readonly linkId: LinkId; readonly lane: number; readonly signal: AbortSignal };

/**
 * Runs one turn of one lane, which imports due envelopes of the ledger, then queues the next turn.
 * The account's budget paces a first import. Envelopes found after its listing go first. Lane 0 starts the other lanes
 * when there is work for them.
 */
export async function runBacklogTurn(deps: Deps, turn: Turn): Promise<void> {
  const link = await findLink(deps.db, turn.linkId);
  if (!isImporting(link)) return;
  const first = isFirstImport(link);
  const wait = await findLinkWait(deps, link, "event");
  if (wait !== null) return await queueAgain(deps, turn, wait.until ?? deps.now(), first);
  const reserve = first ? await deps.budgets.pace(link.account.id, "first-import") : GO;
  if (turn.lane === 0 && reserve.kind === "go") await callLanes(deps, link, first);
  const ended = await importTurn(deps, {
    link,
    held: reserve.kind === "wait",
    signal: turn.signal,
    onEnded: ({ kind }) => deps.metrics.importEnded(kind),
  });
  if (reserve.kind === "wait" && ended === "nothing-due")
    return await queueAgain(deps, turn, reserve.until, first);
  await queueNextTurn(deps, turn, first);
}

/** Lane 0 alone waits for a later time; it starts the other lanes then. */
async function queueAgain({ db }: Uses<"db">, turn: Turn, runAt: Date, first: boolean): Promise<void> {
  if (turn.lane === 0) await enqueueBacklog(db, { ...turn, runAt, first });
}

async function callLanes(
  deps: Uses<"db" | "lanes" | "notifier" | "now">,
  link: Link,
  first: boolean,
): Promise<void> {
  const lanes = Math.min(deps.lanes, await countDue(deps.db, link.id, deps.now()));
  for (let lane = 1; lane < lanes; lane += 1) {
    await enqueueBacklog(deps.db, { linkId: link.id, lane, runAt: null, first });
  }
  if (lanes > 1) deps.notifier.queued(lanes - 1);
}

async function queueNextTurn(deps: Uses<"db" | "now">, turn: Turn, first: boolean): Promise<void> {
  const due = await nextDueAt(deps.db, turn.linkId);
  const link = await findLink(deps.db, turn.linkId);
  const now = deps.now();
  if (link?.state !== "active") return;
  if (due === null) await endFirstImport(deps.db, link, now);
  else if (due <= now) await enqueueBacklog(deps.db, { ...turn, runAt: null, first });
  else await queueAgain(deps, turn, due, first);
}
