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
  /** The link whose jobs must not occupy all workers. */
  readonly linkId?: LinkId;
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
  await enqueue(db, {
    task: "reconcile-link",
    payload: { linkId: job.linkId, hour: job.hour.toISOString() },
    key: `reconcile:${job.linkId}`,
    priority: job.first ? PRIORITY.firstImport : PRIORITY.reconciliation,
    runAt: job.runAt,
    linkId: job.linkId,
  });
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
    linkId: job.linkId,
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

/** Queues a job that does nothing harmful, for a transaction that is rolled back. */
export async function enqueueRehearsal(tx: Kysely<DB>, key: string): Promise<void> {
  await enqueue(tx, { task: "rescue-jobs", payload: {}, key, priority: PRIORITY.housekeeping, runAt: null });
}

/** Queues a job. Replaces a waiting job with the same key. */
async function enqueue(db: Kysely<DB>, job: Job): Promise<void> {
  await sql`select from ${addJob(job, { keepsRunAt: false })}`.execute(db);
}

/**
 * Queues a job and keeps the earlier run time of a waiting job with the same key. The statement reads that time itself:
 * a time that was read before could be outdated by a concurrent commit.
 */
async function bringForward(db: Kysely<DB>, job: Job): Promise<void> {
  await sql`
    select graphile_worker.reschedule_jobs(array[job_id], run_at := ${momentOf(job)})
    from ${addJob(job, { keepsRunAt: true })} where due_at > ${momentOf(job)}`.execute(db);
}

/**
 * Wakes no worker: the caller may tell the notifier after the commit, and workers look every second. Uses no named
 * queues: fetching a job locks all of them, which is slow with one for each link.
 */
function addJob(job: Job, { keepsRunAt }: { keepsRunAt: boolean }): RawBuilder<unknown> {
  const flags = job.linkId === undefined ? null : [linkFlag(job.linkId)];
  return sql`torikomi_queue.add_jobs(json_build_array(json_build_object(
    'identifier', ${job.task}::text, 'payload', ${JSON.stringify(job.payload)}::json, 'run_at', ${momentOf(job)},
    'job_key', ${job.key}::text, 'priority', ${job.priority}::int, 'flags', ${flags}::text[]
  )), ${keepsRunAt})`;
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
function momentOf({ runAt }: Job): RawBuilder<Date> {
  return runAt === null ? sql`now()` : sql`greatest(${runAt}::timestamptz, now() + interval '1 second')`;
}
