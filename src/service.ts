import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config.ts";
import type { LinkId } from "./domain/identifiers.ts";
import {
  explainDenied,
  type Foundation,
  migrateAtStart,
  openFoundation,
  RECEIVING_CONNECTIONS,
  type Role,
  type Runtime,
} from "./foundation.ts";
import { runDueJobs, startWorker, type Worker } from "./jobs/worker.ts";
import { startWorkerLock, type WorkerLock } from "./jobs/worker-pools.ts";
import { withLogContext } from "./log-context.ts";
import { type ChangeNews, createChangeNews } from "./store/contracts/change-news.ts";
import { slotHours } from "./store/events/event-bodies.ts";
import { createEventRecorder } from "./store/events/event-recorder.ts";
import { type ConnectEvent, type Recorded, recordEvents } from "./store/events/record-events.ts";
import { isLinkOpen } from "./store/links/links.ts";
import { isCurrent } from "./store/migrate.ts";
import {
  confirmSession,
  endSession,
  findSession,
  keepResult,
  storeSession,
  storeSignIn,
  takeRefreshToken,
  takeResult,
  takeSignIn,
} from "./store/page-sessions.ts";
import { applyRecentTombstones } from "./usecases/deletions/apply-tombstones.ts";
import { rehearseServing } from "./usecases/health/rehearse-serving.ts";
import { VERSION } from "./version.ts";
import { apiRoutes } from "./web/api/routes.ts";
import type { Pages, Route } from "./web/app.ts";
import { createSignInIssuer } from "./web/auth/issuer.ts";
import { signInCallback, signInRoutes } from "./web/auth/sign-in.ts";
import { createTokenVerifier, refuseEveryToken, type TokenVerifier } from "./web/auth/tokens.ts";
import { connectRoutes } from "./web/connect.ts";
import { metricsRoute, requestTimer } from "./web/operations/metrics.ts";
import { operationsRoutes } from "./web/operations/routes.ts";
import { shared } from "./web/operations/shared.ts";
import { callbackRoutes } from "./web/page/callback.ts";
import { changeRoutes } from "./web/page/changes.ts";
import { linksPageRoutes, unconfiguredRoutes } from "./web/page/routes.ts";
import { type CommonParts, type RoleParts, startServers } from "./web/servers.ts";

export type Service = AsyncDisposable & {
  readonly port: number;
  /** Equals `port` unless `OPERATIONS_PORT` differs. */
  readonly operationsPort: number;
  readonly foundation: Foundation;
  /** Resolves with the cause if a part of it ends by itself. */
  readonly failed: Promise<Error>;
  /** Runs due jobs until none is left. */
  runDueJobs(): Promise<void>;
};

/**
 * Starts the roles of this process: HTTP for `serve`, the queue and its schedule for `work`. `work` alone answers only the
 * operations endpoints. Disposing of it stops accepting connections, finishes running work within `SHUTDOWN_TIMEOUT` and
 * releases unfinished jobs. If it rejects, everything it opened is closed within that time.
 */
export async function startService(config: Config, role: Role, runtime: Runtime): Promise<Service> {
  const started = new AsyncDisposableStack();
  try {
    return await startParts(started, role, { config, runtime });
  } catch (error) {
    await endsWithin(config.shutdownTimeoutMs, started.disposeAsync()).catch(() => {});
    throw error;
  }
}

async function startParts(
  started: AsyncDisposableStack,
  role: Role,
  { config, runtime }: { config: Config; runtime: Runtime },
): Promise<Service> {
  const foundation = started.use(await openFoundation(config, runtime, role));
  if (role === "all" || !config.production) await migrateAtStart(foundation);
  const closing = new AbortController();
  const news = role === "work" ? null : openChangeNews(foundation, started);
  const parts = news === null ? { receivers: [], routes: [] } : servedParts(foundation, news);
  const servers = started.use(await startServers(config, commonParts(foundation, closing.signal), parts));
  const work = role === "serve" ? null : await explainDenied(() => startWork(foundation, started));
  for (const part of role === "all" ? (["serve", "work"] as const) : [role])
    foundation.metrics.roleStarted(part);
  started.defer(async () => {
    closing.abort();
    await windDown(
      foundation,
      work,
      async (timeoutMs) => await Promise.all([servers.close(timeoutMs), news?.close(), work?.stop()]),
    );
  });
  return {
    port: servers.port,
    operationsPort: servers.operationsPort,
    foundation,
    failed: work?.failed ?? new Promise(() => {}),
    runDueJobs: dueJobsRunner(foundation, started),
    [Symbol.asyncDispose]: async () => await started.disposeAsync(),
  };
}

/** Time to store the results of aborted calls and to close everything. */
const LAST_WORDS_MS = 1_000;

/**
 * Lets running work finish. Shortly before the end of `SHUTDOWN_TIMEOUT`, calls to DocuSign are aborted, and the jobs that
 * still hang are released.
 */
async function windDown(
  { config, giveUp, working }: Foundation,
  work: RunningWorker | null,
  endAll: (timeoutMs: number) => Promise<unknown>,
): Promise<void> {
  const lastWordsMs = Math.min(LAST_WORDS_MS, config.shutdownTimeoutMs / 4);
  const timeoutMs = config.shutdownTimeoutMs - lastWordsMs;
  const breakOff = setTimeout(giveUp, timeoutMs - lastWordsMs);
  const isInTime = await endsWithin(timeoutMs, endAll(timeoutMs));
  clearTimeout(breakOff);
  if (!isInTime) await work?.giveBack(working.db);
}

/** Returns true if the work ends in time. Otherwise it goes on unobserved. */
async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}

type RunningWorker = Worker & Pick<WorkerLock, "giveBack">;

async function startWork(foundation: Foundation, started: AsyncDisposableStack): Promise<RunningWorker> {
  const { config, log, tasks, working } = foundation;
  if (!(await isCurrent(working.db))) throw new Error("migrations are not current: run torikomi migrate");
  // A database that was set back must not import what has been deleted.
  await applyRecentTombstones(tasks);
  const lock = openWorkerLock(foundation, started);
  const worker = await startWorker(tasks, {
    pgPool: working.pool,
    concurrency: config.workerConcurrency,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    log,
    events: lock.events,
  });
  tasks.notifier.shortcut({ queued: worker.nudge });
  return { ...worker, giveBack: async (db) => await lock.giveBack(db) };
}

function openWorkerLock({ address, log }: Foundation, started: AsyncDisposableStack): WorkerLock {
  const onLost = (error: Error): void =>
    log.warn({ err: error }, "the worker lock was lost and is being taken again");
  return started.adopt(startWorkerLock(address, { onLost }), async (lock) => await lock.close());
}

/** Opens its lock at the first call: most services never run jobs this way. */
function dueJobsRunner(foundation: Foundation, started: AsyncDisposableStack): () => Promise<void> {
  let lock: WorkerLock | null = null;
  return async () => {
    lock ??= openWorkerLock(foundation, started);
    const { working, log, tasks } = foundation;
    await runDueJobs(tasks, { pgPool: working.pool, log, events: lock.events });
  };
}

function commonParts(foundation: Foundation, closing: AbortSignal): CommonParts {
  const { config, log, now, serving, receiving, working, metrics } = foundation;
  const pools = { serving: serving.pool, receiving: receiving.pool, working: working.pool };
  const operations = operationsRoutes({
    checkReady: readiness(foundation, closing),
    metrics: metricsRoute(metrics, { db: serving.db, log, now, pools }),
  });
  return {
    log,
    trustProxy: config.trustProxy,
    publicUrl: config.publicUrl,
    withRequestId: (requestId, work) => withLogContext({ requestId }, work),
    timer: requestTimer(metrics),
    operations,
  };
}

/** Strangers may ask too if one port serves everything. So callers share what the database is asked. */
const LONGEST_SHARED_MS = 1_000;

function readiness({ serving }: Foundation, closing: AbortSignal): () => Promise<void> {
  const tryServing = shared(async () => {
    if (!(await isCurrent(serving.db))) throw new Error("migrations are not current");
    await rehearseServing(serving.db);
  }, LONGEST_SHARED_MS);
  return async () => {
    if (closing.aborted) throw new Error("shutting down");
    await tryServing();
  };
}

/**
 * Limits for waiting events: enough for a burst, and within the memory of a small container. A commit is small enough that
 * a burst fills two, so that events are parsed while PostgreSQL writes (docs/benchmarks.md).
 */
const RECORDER_LIMITS = {
  batch: 50,
  waiting: 10_000,
  writers: RECEIVING_CONNECTIONS,
  answerWithinMs: 4_500,
};

/**
 * Time until the API starts to answer: with the longest wait for changes, less than the 90 seconds of the ingress (deploy).
 * Requests of one caller per process: a thousand readers of one service may wait at once.
 */
const API_LIMITS = { answerWithinMs: 50_000, requestsPerMinute: 60_000 };

function servedParts(foundation: Foundation, changeNews: ChangeNews): RoleParts {
  return {
    receivers: [receiverOf(foundation)],
    routes: [apiOf(foundation, changeNews)],
    pages: pagesOf(foundation),
  };
}

function receiverOf({ config, receiving, serving, tasks }: Foundation): Route {
  const { receiverMemory } = config;
  const hours = slotHours(config.eventRetentionDays);
  const record = async (events: readonly ConnectEvent[]): Promise<Recorded[]> => {
    const recorded = await recordEvents(receiving.pool, events, hours);
    tasks.notifier.queued(countDue(events, recorded));
    return recorded;
  };
  const recorder = createEventRecorder(record, { ...RECORDER_LIMITS, waitingBytes: receiverMemory });
  // Not over the receiver's own connections: senders without a key can cause this question.
  const hasLink = async (id: LinkId): Promise<boolean> => await isLinkOpen(serving.db, id);
  return connectRoutes({ ...tasks, recorder, receiverMemory, hasLink });
}

/** Imports that are to run at once. */
function countDue(events: readonly ConnectEvent[], recorded: readonly Recorded[]): number {
  return events.filter((event, index) => event.import?.at === null && recorded[index] === "recorded").length;
}

function apiOf(foundation: Foundation, changeNews: ChangeNews): Route {
  const { config, serving, tasks } = foundation;
  return apiRoutes({
    ...tasks,
    db: serving.db,
    changeNews,
    feedWaiters: config.feedWaiters,
    verifyToken: tokenVerifier(foundation),
    version: VERSION,
    ...API_LIMITS,
  });
}

function tokenVerifier({ config, now }: Foundation): TokenVerifier {
  const { issuer, audience, clientId, serviceTokenSubjects: serviceSubjects } = config.cabinet;
  if (issuer === null) return refuseEveryToken;
  return createTokenVerifier({ issuer, audience, clientId, serviceSubjects, now });
}

function openChangeNews({ address, log, tasks }: Foundation, started: AsyncDisposableStack): ChangeNews {
  const news = started.adopt(
    createChangeNews(address, {
      onLost: (error) => log.warn({ err: error }, "the connection for change notifications was lost"),
    }),
    async (opened) => await opened.close(),
  );
  tasks.notifier.shortcut({ changed: news.changed });
  return news;
}

/** The page needs the cabinet's sign-in. Without a client there is no page, and no linking can be finished. */
function pagesOf({ config, serving, tasks }: Foundation): Pages {
  const { issuer, clientId, clientSecret } = config.cabinet;
  if (issuer === null || clientId === null || clientSecret === null) {
    return { routes: [unconfiguredRoutes()], settings: config.page };
  }
  const { sessions, signIns } = pageStores(serving.db);
  const redirectUri = signInCallback(config.publicUrl);
  const client = { issuer, clientId, clientSecret, redirectUri, signedOutUrl: null };
  const auth = { sessions, signIns, issuer: createSignInIssuer({ ...tasks, ...client }) };
  return {
    routes: [
      signInRoutes({ ...tasks, ...auth }),
      callbackRoutes({ ...tasks, ...auth }),
      linksPageRoutes({ ...tasks, ...auth, db: serving.db }),
      changeRoutes({ ...tasks, ...auth, db: serving.db }),
    ],
    settings: config.page,
  };
}

type SignInStores = Pick<Parameters<typeof signInRoutes>[0], "sessions" | "signIns">;

function pageStores(db: Foundation["serving"]["db"]): SignInStores {
  return {
    sessions: {
      create: async (session) => await storeSession(db, session),
      find: async (idHash, at) => await findSession(db, idHash, at),
      takeRefreshToken: async (idHash, sealed) => await takeRefreshToken(db, idHash, sealed),
      confirm: async (idHash, confirmation) => await confirmSession(db, idHash, confirmation),
      end: async (idHash) => await endSession(db, idHash),
      keepResult: async (idHash, result) => await keepResult(db, idHash, result),
      takeResult: async (idHash, result) => await takeResult(db, idHash, result),
    },
    signIns: {
      begin: async (signIn) => await storeSignIn(db, signIn),
      take: async (stateHash, at) => await takeSignIn(db, stateHash, at),
    },
  };
}
