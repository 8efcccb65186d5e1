import { expectedDuration, mayCall } from "../../domain/pace.ts";
import { findBudget } from "../../store/budgets.ts";
import type { Totals } from "../../store/ledger/counts.ts";
import { countListedFirst } from "../../store/ledger/reconciliations.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";

export type FirstImportProgress = {
  /** Envelopes that are imported, excluded or deleted. */
  readonly done: number;
  /** As DocuSign counted at linking, then as they were listed. */
  readonly total: number;
  /** Null once it is through. While it awaits approval: as if that were given now. */
  readonly estimatedEnd: Date | null;
};

/** An envelope costs a call per document and its share of the listing; most hold one document. */
const CALLS_PER_ENVELOPE = 1.5;
/** What the lanes of one link manage against answers of about half a second. */
const CALLS_PER_SECOND = 5;
/** DocuSign's own limit, where its headers have not told another. */
const USUAL_HOURLY_LIMIT = 3_000;

/** How far the link's first import has come, and when it will be through (import-rules 3). */
export async function measureFirstImport(
  deps: Uses<"db" | "now" | "reserveShare">,
  link: Link,
  totals: Totals,
): Promise<FirstImportProgress> {
  const counted = link.firstImport.total ?? 0;
  const listed = await countListedFirst(deps.db, link);
  const total = listed ?? Math.max(counted, totals.atDocuSign);
  if (link.firstImport.doneAt !== null) return { done: total, total, estimatedEnd: null };
  const settled = totals.atDocuSign - totals.waiting;
  const done = listed === null ? settled : Math.max(0, total - totals.waiting);
  return { done, total, estimatedEnd: await estimateEnd(deps, link, { done, left: total - done }) };
}

/** By the hours' calls, from when there are some again, or by the pace so far where that is slower. */
async function estimateEnd(
  deps: Uses<"db" | "now" | "reserveShare">,
  link: Link,
  { done, left }: { done: number; left: number },
): Promise<Date> {
  const now = deps.now();
  const budget = await findBudget(deps.db, link.account.id);
  const pace = budget === null ? null : mayCall(budget, deps.reserveShare, now);
  const start = pace?.kind === "wait" ? pace.until : now;
  const byBudget = expectedDuration({
    envelopes: left,
    callsPerEnvelope: CALLS_PER_ENVELOPE,
    hourlyLimit: budget?.limit ?? USUAL_HOURLY_LIMIT,
    reserveShare: deps.reserveShare,
    callsPerSecond: CALLS_PER_SECOND,
  });
  const elapsed = now.getTime() - (link.firstImport.startedAt ?? now).getTime();
  const byPace = done > 0 ? (elapsed / done) * left : 0;
  return new Date(Math.round(Math.max(start.getTime() + byBudget, now.getTime() + byPace)));
}
