import type { WorkerEvents, WorkerPool } from "graphile-worker";
import {
  parseCronItems,
  Logger as QueueLogger,
  type Runner,
  run,
  runMigrations,
  runOnce,
} from "graphile-worker";
import type { Logger } from "pino";
import { patientPool } from "../store/queue/patient-pool.ts";
import { createLinkShare } from "./link-share.ts";
import { createTasks, type TaskUses } from "./tasks.ts";

type Pool = NonNullable<Parameters<typeof run>[0]["pgPool"]>;

export type WorkerOptions = {
  pgPool: Pool;
  concurrency: number;
  shutdownTimeoutMs: number;
  log: Logger;
  /** Shows other processes that these workers are alive. */
  events: WorkerEvents;
};

export type Worker = {
  /** Resolves with the cause if the workers end by themselves: the process must not live on without them. */
  readonly failed: Promise<Error>;
  /** Lets so many idle workers look for jobs at once. Returns how many there are. */
  readonly nudge: (workers: number) => number;
  /** Stops fetching jobs, lets running ones finish, and releases unfinished ones at once. */
  stop(): Promise<void>;
};

const POLL_MS = 1_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** After a downtime, at least the last missed hour is reconciled (import-rules 3). */
const CRON_ITEMS = [
  {
    task: "reconcile-all",
    match: "0 * * * *",
    options: { backfillPeriod: DAY_MS, maxAttempts: 25, priority: -10 },
  },
  { task: "rescue-jobs", match: "* * * * *", options: { backfillPeriod: 0, maxAttempts: 1, priority: -20 } },
  { task: "housekeeping", match: "30 * * * *", options: { backfillPeriod: 0, maxAttempts: 3, priority: 30 } },
].map((item) => ({ ...item, identifier: item.task, options: { ...item.options, jobKey: item.task } }));

/** Only in batches, even of one, does the library await and catch its writes about ended jobs. */
const AWAITED = { completeJobBatchDelay: 0, failJobBatchDelay: 0 } as const;

/** Starts the workers, and the schedule that queues the hourly jobs. */
export async function startWorker(deps: TaskUses, options: WorkerOptions): Promise<Worker> {
  const share = createLinkShare(options.concurrency);
  const { log } = options;
  const stopping = new AbortController();
  const patience = {
    signal: stopping.signal,
    onRepeat: (error: unknown) => log.warn({ err: error }, "a statement of the queue failed and is retried"),
  };
  const nudge = nudger(options);
  const runner: Runner = await run({
    pgPool: patientPool(options.pgPool, patience),
    concurrency: options.concurrency,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    taskList: createTasks(deps, share),
    forbiddenFlags: share.fullFlags,
    parsedCronItems: parseCronItems(CRON_ITEMS),
    logger: queueLogger(log),
    events: options.events,
    preset: { worker: { ...AWAITED, gracefulShutdownAbortTimeout: options.shutdownTimeoutMs } },
  });
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();
  const end = (cause?: unknown): void => {
    if (!stopping.signal.aborted) fail(new Error("the workers ended unexpectedly", { cause }));
  };
  const ended = runner.promise.then(() => end(), end);
  // A single worker that died and restarts under a new name releases its old jobs here.
  runner.addJob("rescue-jobs", {}, { jobKey: "rescue-jobs", maxAttempts: 1 }).catch(end);
  return {
    failed,
    nudge,
    stop: async () => {
      stopping.abort();
      // It rejects if the workers are ending by themselves.
      await runner.stop().catch(async () => await ended);
    },
  };
}

/** A pool that shuts down must not be nudged. */
function nudger({ events, concurrency }: WorkerOptions): Worker["nudge"] {
  let pool: WorkerPool | null = null;
  let running = 0;
  events.once("pool:create", ({ workerPool }) => void (pool = workerPool));
  events.once("pool:gracefulShutdown", () => void (pool = null));
  events.on("job:start", () => void (running += 1));
  events.on("job:complete", () => void (running -= 1));
  return (workers) => {
    const idle = pool === null ? 0 : Math.min(workers, concurrency - running);
    if (idle > 0) pool?.nudge(idle);
    return idle;
  };
}

/** Runs due jobs until none is left, for tests and commands that wait for the result. */
export async function runDueJobs(
  deps: TaskUses,
  options: Pick<WorkerOptions, "pgPool" | "log"> & Partial<Pick<WorkerOptions, "concurrency" | "events">>,
): Promise<void> {
  const concurrency = options.concurrency ?? 1;
  const share = createLinkShare(concurrency);
  await runOnce({
    pgPool: options.pgPool,
    concurrency,
    noHandleSignals: true,
    taskList: createTasks(deps, share),
    forbiddenFlags: share.fullFlags,
    logger: queueLogger(options.log),
    preset: { worker: AWAITED },
    ...(options.events !== undefined && { events: options.events }),
  });
}

/** Migrates the queue's schema to the version of its library. Safe to run concurrently. */
export async function migrateQueue(pgPool: Pool): Promise<void> {
  await runMigrations({ pgPool });
}

/** Writes the queue's log lines to our log. Its messages about failed jobs contain the error, so fields are left out. */
function queueLogger(log: Logger): QueueLogger {
  const levels: Record<string, "error" | "warn" | "debug"> = { error: "error", warning: "warn" };
  return new QueueLogger((scope) => (level, message) => {
    log[levels[level] ?? "debug"]({ jobId: scope.jobId, task: scope.taskIdentifier }, message);
  });
}
