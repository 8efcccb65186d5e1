import { type Kysely, type RawBuilder, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import type { Query } from "../session.ts";

/** Lower runs sooner: what events bring, then what the hour finds, then first imports (design decisions 6 and 8). */
export const PRIORITY = { event: 0, reconciliation: 10, firstImport: 20, housekeeping: 30 } as const;

type Job = {
  readonly task: string;
  readonly payload: object;
  readonly key: string;
  readonly priority: number;
  readonly runAt: Date | null;
  /** Workers skip jobs with a flag while others take their turn. */
  readonly flags?: readonly string[];
};

/** The flag of a link's jobs. Workers skip flagged jobs while other links take their turn. */
export function linkFlag(linkId: string): string {
  return `link:${linkId}`;
}

/** The name of the job that imports what an event announced. */
export function importJobKey(linkId: string, envelopeId: string): string {
  return `import:${linkId}:${envelopeId}`;
}

/** The import of an envelope that waits in the queue, or is under way; null where there is none. */
export async function findImportJob(
  db: Kysely<DB>,
  linkId: LinkId,
  envelopeId: EnvelopeId,
): Promise<{ runAt: Date } | null> {
  const { rows } = await sql<{ run_at: Date }>`
    select run_at from graphile_worker.jobs where key = ${importJobKey(linkId, envelopeId)}`.execute(db);
  return rows[0] === undefined ? null : { runAt: rows[0].run_at };
}

/** Queues the next page of a link's reconciliation. Replaces one that is already waiting. */
export async function enqueueReconciliation(
  db: Kysely<DB>,
  job: { linkId: LinkId; hour: Date; runAt: Date | null; first: boolean },
): Promise<void> {
  await enqueue(db, reconciliationOf(job));
}

function reconciliationOf(job: Parameters<typeof enqueueReconciliation>[1]): Job {
  return {
    task: "reconcile-link",
    payload: { linkId: job.linkId, hour: job.hour.toISOString() },
    key: `reconcile:${job.linkId}`,
    priority: job.first ? PRIORITY.firstImport : PRIORITY.reconciliation,
    runAt: job.runAt,
    flags: [linkFlag(job.linkId)],
  };
}

export type HourJob = {
  readonly linkIds: readonly LinkId[];
  readonly hour: Date;
  readonly runAt: Date | null;
};

/** The flag of the jobs that reconcile many links. */
export const HOUR_FLAG = "hour";

/** Queues the reconciliation of all links by one statement. Replaces jobs of an earlier hour that still wait. */
export async function enqueueHour(db: Kysely<DB>, jobs: readonly HourJob[]): Promise<void> {
  await enqueueAll(
    db,
    jobs.map(({ linkIds, hour, runAt }, index) => ({
      task: "reconcile-links",
      payload: { linkIds, hour: hour.toISOString() },
      key: `reconcile-links:${index}`,
      priority: PRIORITY.reconciliation,
      runAt,
      flags: [HOUR_FLAG],
    })),
  );
}

/** Queues the reconciliation of each of the links by itself, by one statement. */
export async function enqueueReconciliations(
  db: Kysely<DB>,
  jobs: readonly Parameters<typeof enqueueReconciliation>[1][],
): Promise<void> {
  await enqueueAll(db, jobs.map(reconciliationOf));
}

/**
 * Queues one lane of a link's backlog, which imports due envelopes of the ledger one by one. A waiting lane may be moved
 * forward but is never postponed: it may have been queued for something that the caller has not seen.
 */
export async function enqueueBacklog(
  db: Kysely<DB>,
  job: { linkId: LinkId; lane: number; runAt: Date | null; first: boolean },
): Promise<void> {
  await bringForward(db, {
    task: "import-backlog",
    payload: { linkId: job.linkId, lane: job.lane },
    key: `backlog:${job.linkId}:${job.lane}`,
    priority: job.first ? PRIORITY.firstImport : PRIORITY.reconciliation,
    runAt: job.runAt,
    flags: [linkFlag(job.linkId)],
  });
}

/** Queues the erasure of a deleted contract's bytes. */
export async function enqueueErasure(db: Kysely<DB>): Promise<void> {
  await enqueue(db, {
    task: "erase-documents",
    payload: {},
    key: "erase-documents",
    priority: PRIORITY.event,
    runAt: null,
  });
}

/** Queues the probe of a document store that refuses writes. */
export async function enqueueStoreProbe(db: Kysely<DB>, runAt: Date): Promise<void> {
  const task = "probe-documents";
  await enqueue(db, { task, payload: {}, key: task, priority: PRIORITY.event, runAt });
}

/** Queues the emptying of the next slot of event bodies. */
export async function enqueueEmptying(db: Kysely<DB>, runAt: Date): Promise<void> {
  const task = "empty-event-bodies";
  await enqueue(db, { task, payload: {}, key: task, priority: PRIORITY.housekeeping, runAt });
}

/** Queues a job that does nothing harmful, for a transaction that is rolled back. */
export async function enqueueRehearsal(tx: Kysely<DB>, key: string): Promise<void> {
  await enqueue(tx, { task: "rescue-jobs", payload: {}, key, priority: PRIORITY.housekeeping, runAt: null });
}

/** Queues a job. Replaces a waiting job with the same key. */
async function enqueue(db: Kysely<DB>, job: Job): Promise<void> {
  await enqueueAll(db, [job]);
}

async function enqueueAll(db: Kysely<DB>, jobs: readonly Job[]): Promise<void> {
  if (jobs.length > 0) await sql`select from ${addJobs(jobs, { keepsRunAt: false })}`.execute(db);
}

/**
 * Queues a job and keeps the earlier run time of a waiting job with the same key. The statement reads that time itself:
 * a time that was read before could be outdated by a concurrent commit.
 */
async function bringForward(db: Kysely<DB>, job: Job): Promise<void> {
  const moment = momentOf(sql`${job.runAt}::timestamptz`);
  await sql`
    select graphile_worker.reschedule_jobs(array[job_id], run_at := ${moment})
    from ${addJobs([job], { keepsRunAt: true })} where due_at > ${moment}`.execute(db);
}

/**
 * Wakes no worker: the caller may tell the notifier after the commit, and workers look every second. Uses no named
 * queues: fetching a job locks all of them, which is slow with one for each link.
 */
function addJobs(jobs: readonly Job[], { keepsRunAt }: { keepsRunAt: boolean }): RawBuilder<unknown> {
  const specs = jobs.map(({ task, payload, key, priority, runAt, flags = null }) => ({
    identifier: task,
    payload,
    run_at: runAt,
    job_key: key,
    priority,
    flags,
  }));
  return sql`torikomi_queue.add_jobs((
    select json_agg(json_build_object(
      'identifier', identifier, 'payload', payload, 'run_at', ${momentOf(sql`run_at`)}, 'job_key', job_key,
      'priority', priority, 'flags', flags
    )) from json_to_recordset(${JSON.stringify(specs)}::json)
      as spec (identifier text, payload json, run_at timestamptz, job_key text, priority int, flags json)
  ), ${keepsRunAt})`;
}

/** A job as graphile-worker fetched it. */
export type FetchedJob = {
  readonly task_identifier: string;
  readonly payload: unknown;
  readonly key: string | null;
  readonly priority: number;
  readonly max_attempts: number;
  readonly flags: object | null;
};

/** Puts back a job that was fetched but may not run yet, as a new one: the caller ends the old one. */
export async function putBack(query: Query, job: FetchedJob): Promise<void> {
  const { task_identifier: identifier, payload, key, priority, max_attempts } = job;
  const flags = Object.keys(job.flags ?? {});
  const spec = { identifier, payload, job_key: key, priority, max_attempts, flags };
  await query("select from torikomi_queue.add_jobs($1, false)", [JSON.stringify([spec])]);
}

/**
 * Postponed jobs use the database's clock. If our clock were behind it, the job would be due at once and be postponed
 * again and again.
 */
function momentOf(runAt: RawBuilder<unknown>): RawBuilder<Date> {
  return sql`case when ${runAt} is null then now() else greatest(${runAt}, now() + interval '1 second') end`;
}
