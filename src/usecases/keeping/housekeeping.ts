import { listCertificatesToErase } from "../../store/contracts/certificates.ts";
import { makeSearchable } from "../../store/contracts/complete-contracts.ts";
import { listToErase } from "../../store/contracts/contracts.ts";
import { beginBlocks } from "../../store/contracts/search-blocks.ts";
import type { Database } from "../../store/database.ts";
import { deleteLateBodies } from "../../store/events/event-bodies.ts";
import { forgetExpired } from "../../store/links/linkings.ts";
import { forgetLookUps } from "../../store/links/look-ups.ts";
import { enqueueErasure } from "../../store/queue/queue.ts";
import {
  eraseNames,
  forgetBodies,
  forgetEvents,
  forgetFailedJobs,
  forgetReconciliations,
} from "../../store/upkeep/housekeeping.ts";
import type { Uses } from "../capabilities.ts";
import { emptyEventBodies } from "./empty-event-bodies.ts";
import { eraseOrphans, type OrphanReport } from "./erase-orphans.ts";

export type TidyReport = {
  /** Slots of bodies that were truncated: at most one, and jobs empty others that are due. */
  readonly slots: number;
  /** Bodies that were removed one by one. */
  readonly bodies: number;
  readonly events: number;
  readonly reconciliations: number;
  readonly failedJobs: number;
  /** Deleted contracts whose names left the feed. */
  readonly names: number;
  /** Contracts of version 0.1 that searches find from now on. */
  readonly madeSearchable: number;
  /** Null in hours that do not check the document store. */
  readonly orphans: OrphanReport | null;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const KEEP_RECONCILIATIONS_DAYS = 400;
const KEEP_EVENTS_DAYS = 400;
/** Long enough to examine them after a holiday. */
const KEEP_FAILED_JOBS_DAYS = 30;
/** service-2.md section 1. */
const KEEP_NAMES_DAYS = 30;
/** Covers the hour of a process whose clock is behind. */
const KEEP_LOOK_UPS_MS = 2 * 60 * 60 * 1000;
const STEP = 500;
/** After this long, the rest is left to the next hourly run. */
const LONGEST_MS = 5 * 60 * 1000;
/** The document store is listed once a day, at 3:00 in Japan: listing all of it costs money and time. */
const ORPHANS_AT_UTC_HOUR = 18;

/**
 * Deletes what is no longer needed, in small steps that block nothing. Event bodies go after the configured number of
 * days, a slot at a time, and events after 400 days; expired sign-ins and linkings, past look-ups, old
 * reconciliations and failed jobs go too, and the names of contracts that were deleted 30 days ago. Once a day, erases
 * orphaned documents. Queues the erasure of deleted contracts that still have bytes. Makes contracts of version 0.1
 * searchable.
 * Runs every hour; concurrent runs are safe.
 */
export async function tidy(
  deps: Uses<"db" | "documents" | "eventRetentionDays" | "log" | "metrics" | "now">,
): Promise<TidyReport> {
  const { db } = deps;
  const startedAt = deps.now();
  const daysAgo = (days: number): Date => new Date(startedAt.getTime() - days * DAY_MS);
  const all = async (step: () => Promise<number>): Promise<number> => await repeat(deps, startedAt, step);
  await forgetExpired(db, startedAt);
  await forgetLookUps(db, new Date(startedAt.getTime() - KEEP_LOOK_UPS_MS));
  await resumeErasure(db);
  await beginBlocks(db, startedAt);
  const { eventRetentionDays } = deps;
  const bodiesBefore = daysAgo(eventRetentionDays);
  return {
    slots: await emptyEventBodies(deps, startedAt),
    bodies:
      (await all(() => deleteLateBodies(db, bodiesBefore, STEP))) +
      (await all(() => forgetBodies(db, bodiesBefore, STEP))),
    // Version 0.1 stored the body with the event.
    events: await all(() => forgetEvents(db, daysAgo(Math.max(KEEP_EVENTS_DAYS, eventRetentionDays)), STEP)),
    reconciliations: await all(() => forgetReconciliations(db, daysAgo(KEEP_RECONCILIATIONS_DAYS), STEP)),
    failedJobs: await all(() => forgetFailedJobs(db, daysAgo(KEEP_FAILED_JOBS_DAYS), STEP)),
    names: await all(() => eraseNames(db, { before: daysAgo(KEEP_NAMES_DAYS), now: startedAt, limit: STEP })),
    madeSearchable: await all(() => makeSearchable(db, STEP)),
    orphans: startedAt.getUTCHours() === ORPHANS_AT_UTC_HOUR ? await eraseOrphans(deps) : null,
  };
}

/** Queues the erasure job if it ran out of attempts or was removed by hand: a deletion promises erasure. */
async function resumeErasure(db: Database): Promise<void> {
  const contracts = await listToErase(db, 1);
  const certificates = await listCertificatesToErase(db, 1);
  if (contracts.length + certificates.length > 0) await enqueueErasure(db);
}

/** Repeats a step until nothing is left or the time is up; returns the total. */
async function repeat({ now }: Uses<"now">, startedAt: Date, step: () => Promise<number>): Promise<number> {
  let sum = 0;
  for (;;) {
    const done = await step();
    sum += done;
    if (done < STEP || now().getTime() - startedAt.getTime() >= LONGEST_MS) return sum;
  }
}
