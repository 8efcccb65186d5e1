import type { Router } from "express";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { openDocumentStore } from "./documents/open-store.ts";
import { createDocuSignOAuth } from "./docusign/oauth.ts";
import type { TaskDeps } from "./jobs/tasks.ts";
import { migrateQueue, runDueJobs, startWorker } from "./jobs/worker.ts";
import { type OpenDatabase, openDatabase } from "./store/database.ts";
import { openEmbeddedPostgres } from "./store/embedded.ts";
import { createEventRecorder } from "./store/event-recorder.ts";
import { recordEvents } from "./store/events.ts";
import { isCurrent, migrateToLatest } from "./store/migrate.ts";
import { endSession, findSession, storeSession, storeSignIn, takeSignIn } from "./store/page-sessions.ts";
import { createVault } from "./store/vault.ts";
import { createAccessTokens } from "./usecases/access-tokens.ts";
import { createCallBudgets } from "./usecases/call-budgets.ts";
import type { FinishDeps } from "./usecases/finish-linking.ts";
import { createOpenAccount } from "./usecases/open-account.ts";
import { createApp } from "./web/app.ts";
import { callbackRoutes } from "./web/callback.ts";
import { connectRoutes } from "./web/connect.ts";
import { operationsRoutes } from "./web/operations.ts";
import type { PageSession } from "./web/page-session.ts";
import { startHttpServer } from "./web/server.ts";
import { type BegunSignIn, signInRoutes } from "./web/sign-in.ts";

export type Role = "serve" | "work" | "all";

export type Surroundings = { readonly log: Logger; readonly now: () => Date };

/** What stands ready to be used; `close` ends it in the reverse order, and a second call changes nothing. */
export type Foundation = AsyncDisposable & {
  readonly config: Config;
  readonly log: Logger;
  readonly now: () => Date;
  readonly connectionString: string;
  /** Few connections that are waited for only shortly: people and DocuSign wait at the other end. */
  readonly front: OpenDatabase;
  /** A connection for each job and its lock. */
  readonly back: OpenDatabase;
  readonly tasks: TaskDeps & FinishDeps;
};

const FRONT_CONNECTIONS = 20;
const FRONT_PATIENCE_MS = 2_000;
const BACK_PATIENCE_MS = 30_000;

/** Opens database, document store and DocuSign, for services and commands alike. Starts nothing that runs by itself. */
export async function openFoundation(config: Config, { log, now }: Surroundings): Promise<Foundation> {
  await using opened = new AsyncDisposableStack();
  const connectionString = await findDatabase(config, log, opened);
  const onError = (error: Error): void => log.warn({ err: error }, "database connection lost");
  const open = (max: number, connectionTimeoutMs: number, name: string): OpenDatabase =>
    opened.adopt(
      openDatabase(connectionString, {
        max,
        connectionTimeoutMs,
        onError,
        applicationName: `torikomi ${name}`,
      }),
      async (database) => await database.close(),
    );
  const front = open(FRONT_CONNECTIONS, FRONT_PATIENCE_MS, "front");
  const back = open(config.workerConcurrency * 2 + 5, BACK_PATIENCE_MS, "back");
  const tasks = await createTaskDeps(config, { log, now }, back, opened);
  const kept = opened.move();
  return {
    config,
    log,
    now,
    connectionString,
    front,
    back,
    tasks,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

async function findDatabase(config: Config, log: Logger, opened: AsyncDisposableStack): Promise<string> {
  if (config.databaseUrl !== null) return config.databaseUrl;
  const embedded = await openEmbeddedPostgres({
    dataDir: config.dataDir,
    production: config.production,
    log: (message) => log.warn(message),
  });
  opened.defer(async () => await embedded.close());
  return embedded.connectionString;
}

async function createTaskDeps(
  config: Config,
  { log, now }: Surroundings,
  database: OpenDatabase,
  opened: AsyncDisposableStack,
): Promise<TaskDeps & FinishDeps> {
  const { db } = database;
  const vault = createVault(config.encryptionKeys);
  const oauth = createDocuSignOAuth({
    ...config.docusign,
    redirectUri: `${config.publicUrl}/links/docusign/callback`,
    now,
  });
  const documents = opened.adopt(
    await openDocumentStore(config.documentStore, config.dataDir, config.documentEncryption),
    async (store) => await store.close(),
  );
  const budgets = createCallBudgets({ db, log, now, reserveShare: config.firstImportReserve });
  const tokens = createAccessTokens({ db, vault, oauth, now });
  const openAccount = createOpenAccount({ tokens, budgets, now, onCall: () => {} });
  return {
    db,
    vault,
    oauth,
    documents,
    budgets,
    openAccount,
    log,
    now,
    adminProfiles: config.adminProfiles,
    publicUrl: config.publicUrl,
    largeImport: config.largeImport,
    lanes: Math.max(1, config.workerConcurrency - 2),
    onImport: () => {},
    onReconciled: () => {},
    tidy: async () => {},
    rescueJobs: async () => {},
  };
}

export type Service = AsyncDisposable & {
  readonly port: number;
  readonly foundation: Foundation;
  /** Runs the jobs that are due until none is. */
  runDueJobs(): Promise<void>;
};

/**
 * Starts the roles of this process: HTTP for `serve`, the queue and its clock for `work`; `work` alone answers the
 * operations addresses only. Disposing of it takes no more connections, finishes what is under way within
 * `SHUTDOWN_TIMEOUT` and gives unfinished jobs back.
 */
export async function startService(config: Config, role: Role, surroundings: Surroundings): Promise<Service> {
  await using started = new AsyncDisposableStack();
  const foundation = started.use(await openFoundation(config, surroundings));
  if (role === "all" || !config.production) await migrate(foundation.back);
  const closing = new AbortController();
  const routes = role === "work" ? [] : serviceRoutes(foundation);
  const operations = operationsRoutes({
    checkReady: readiness(foundation, closing.signal),
    metrics: (_request, response) => void response.send(""),
  });
  const app = createApp({
    log: surroundings.log,
    trustProxy: config.trustProxy,
    routes: [operations, ...routes],
  });
  const server = await startHttpServer(app, config);
  started.defer(async () => await server.close(config.shutdownTimeoutMs));
  if (role !== "serve") {
    const worker = await startWorker(foundation.tasks, {
      pgPool: foundation.back.pool,
      concurrency: config.workerConcurrency,
      shutdownTimeoutMs: config.shutdownTimeoutMs,
      log: surroundings.log,
    });
    started.defer(async () => await worker.stop());
  }
  started.defer(() => closing.abort());
  const kept = started.move();
  return {
    port: server.port,
    foundation,
    runDueJobs: async () =>
      await runDueJobs(foundation.tasks, { pgPool: foundation.back.pool, log: surroundings.log }),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** Brings the database to the current version, the queue's part of it included. */
export async function migrate(database: OpenDatabase): Promise<{ applied: string[] }> {
  return await migrateToLatest(database.db, async () => await migrateQueue(database.pool));
}

/** Opens the configured database only, for `migrate`, and closes it when the work is done. */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  work: (database: OpenDatabase) => Promise<T>,
): Promise<T> {
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(
    openDatabase(await findDatabase(config, log, opened), { connectionTimeoutMs: BACK_PATIENCE_MS }),
    async (one) => await one.close(),
  );
  return await work(database);
}

function readiness({ front }: Foundation, closing: AbortSignal): () => Promise<void> {
  return async () => {
    if (closing.aborted) throw new Error("shutting down");
    if (!(await isCurrent(front.db))) throw new Error("migrations are not current");
  };
}

/** Of what waits for the database: enough for a burst, little enough for the memory of a small container. */
const RECORDER_LIMITS = { batch: 100, waiting: 10_000, waitingBytes: 128 * 1024 * 1024, writers: 2 };

function serviceRoutes(foundation: Foundation): Router[] {
  const { config, now, front } = foundation;
  const recorder = createEventRecorder(
    async (events) => await recordEvents(front.db, events),
    RECORDER_LIMITS,
  );
  return [
    connectRoutes({
      hmacKeys: config.hmacKeys,
      recorder,
      importTiming: config.importTiming,
      now,
      onEvent: () => {},
    }),
    ...pageRoutes(foundation),
  ];
}

/** The page needs the cabinet's sign-in; without a client there, there is no page and nobody can finish a linking. */
function pageRoutes({ config, now, front, tasks }: Foundation): Router[] {
  const { issuer, clientId, clientSecret } = config.cabinet;
  if (issuer === null || clientId === null || clientSecret === null) return [];
  const { db } = front;
  const sessions = {
    create: async (session: PageSession) => await storeSession(db, session),
    find: async (idHash: Buffer, at: Date) => await findSession(db, idHash, at),
    end: async (idHash: Buffer) => await endSession(db, idHash),
  };
  const signIns = {
    begin: async (signIn: BegunSignIn) => await storeSignIn(db, signIn),
    take: async (stateHash: Buffer, at: Date) => await takeSignIn(db, stateHash, at),
  };
  const { publicUrl } = config;
  return [
    signInRoutes({ sessions, signIns, publicUrl, now, issuer, clientId, clientSecret, signedOutUrl: null }),
    callbackRoutes({ ...tasks, sessions }),
  ];
}
