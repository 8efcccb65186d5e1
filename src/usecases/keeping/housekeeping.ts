import { listToErase } from "../../store/contracts/contracts.ts";
import type { Database } from "../../store/database.ts";
import { forgetExpired } from "../../store/links/linkings.ts";
import { enqueueErasure } from "../../store/queue/queue.ts";
import { forgetBodies, forgetFailedJobs, forgetReconciliations } from "../../store/upkeep/housekeeping.ts";
import type { Uses } from "../capabilities.ts";
import { eraseOrphans, type OrphanReport } from "./erase-orphans.ts";

export type TidyReport = {
  readonly bodies: number;
  readonly reconciliations: number;
  readonly failedJobs: number;
  /** Null in the hours that do not look at the document store. */
  readonly orphans: OrphanReport | null;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const KEEP_RECONCILIATIONS_DAYS = 400;
/** Long enough for somebody to look at them after a holiday. */
const KEEP_FAILED_JOBS_DAYS = 30;
const STEP = 500;
/** What is left after this long is done by the next hour's run. */
const LONGEST_MS = 5 * 60 * 1000;
/** Listing the whole document store costs: once a day, at 3 o'clock in Japan. */
const ORPHANS_AT_UTC_HOUR = 18;

/**
 * Forgets what is not needed any more, in small steps that block nobody: bodies of events after the configured days,
 * what expired at sign-in and linking, old reconciliations and failed jobs; once a day, documents that belong to
 * nothing. Queues the erasure of deleted contracts' bytes where that is still to be done. To be run every hour; runs beside each other do no harm.
 */
export async function tidy(
  deps: Uses<"db" | "documents" | "eventRetentionDays" | "log" | "now">,
): Promise<TidyReport> {
  const { db } = deps;
  const startedAt = deps.now();
  const daysAgo = (days: number): Date => new Date(startedAt.getTime() - days * DAY_MS);
  const all = async (step: () => Promise<number>): Promise<number> => await repeat(deps, startedAt, step);
  await forgetExpired(db, startedAt);
  await resumeErasure(db);
  return {
    bodies: await all(() => forgetBodies(db, daysAgo(deps.eventRetentionDays), STEP)),
    reconciliations: await all(() => forgetReconciliations(db, daysAgo(KEEP_RECONCILIATIONS_DAYS), STEP)),
    failedJobs: await all(() => forgetFailedJobs(db, daysAgo(KEEP_FAILED_JOBS_DAYS), STEP)),
    orphans: startedAt.getUTCHours() === ORPHANS_AT_UTC_HOUR ? await eraseOrphans(deps) : null,
  };
}

/** Its job may have run out of attempts, or have been removed by hand: what was promised at a deletion must not hang on it. */
async function resumeErasure(db: Database): Promise<void> {
  const waiting = await listToErase(db, 1);
  if (waiting.length > 0) await enqueueErasure(db);
}

/** Until nothing is left, or time is up. */
async function repeat({ now }: Uses<"now">, startedAt: Date, step: () => Promise<number>): Promise<number> {
  let sum = 0;
  for (;;) {
    const done = await step();
    sum += done;
    if (done < STEP || now().getTime() - startedAt.getTime() >= LONGEST_MS) return sum;
  }
}
