import { expectedDuration, mayCall } from "../../domain/pace.ts";
import { findBudget } from "../../store/budgets.ts";
import type { Totals } from "../../store/ledger/counts.ts";
import { countListedFirst } from "../../store/ledger/reconciliations.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { isUncounted } from "../importing/first-import.ts";

export type FirstImportProgress = {
  /** Envelopes that are imported, excluded or deleted. */
  readonly done: number;
  /** DocuSign's count at linking; once all are listed, the number listed. Null while neither is known. */
  readonly total: number | null;
  /** Null once it has ended. Before the approval, assumes that it is given now. */
  readonly estimatedEnd: Date | null;
};

/** Each envelope costs one call per document, plus a share of the listing. Most envelopes have one document. */
const CALLS_PER_ENVELOPE = 1.5;
/** The rate of one link's lanes when DocuSign answers in about half a second. */
const CALLS_PER_SECOND = 5;
/** DocuSign's default limit, for accounts whose headers have not reported one. */
const USUAL_HOURLY_LIMIT = 3_000;

/** Returns the progress of the first import and its estimated end (import-rules 3). */
export async function measureFirstImport(
  deps: Uses<"db" | "now" | "reserveShare">,
  link: Link,
  totals: Totals,
): Promise<FirstImportProgress> {
  const counted = link.firstImport.total ?? 0;
  const listed = await countListedFirst(deps.db, link);
  const settled = totals.atDocuSign - totals.waiting;
  if (isUncounted(link)) return { done: settled, total: null, estimatedEnd: null };
  const total = listed ?? Math.max(counted, totals.atDocuSign);
  if (link.firstImport.doneAt !== null) return { done: total, total, estimatedEnd: null };
  const done = listed === null ? settled : Math.max(0, total - totals.waiting);
  return { done, total, estimatedEnd: await estimateEnd(deps, link, { done, left: total - done }) };
}

/**
 * Estimates from the hourly calls, starting when calls are available again, or from the pace so far if that is slower.
 */
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
