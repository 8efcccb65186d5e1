import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { openDocumentStore } from "./documents/open-store.ts";
import { createApiAddressCheck } from "./docusign/api/api-address.ts";
import { endingFault } from "./docusign/faults/faults.ts";
import { createDocuSignOAuth } from "./docusign/oauth.ts";
import type { TaskUses } from "./jobs/tasks.ts";
import { migrateQueue } from "./jobs/worker.ts";
import { withLogContext } from "./log-context.ts";
import { type Address, addressIn } from "./store/address.ts";
import { type DatabaseOptions, type OpenDatabase, openDatabase } from "./store/database.ts";
import { isPermissionDenied } from "./store/database-errors.ts";
import { openEmbeddedPostgres } from "./store/embedded/postgres.ts";
import { prepareEventBodies } from "./store/events/event-bodies.ts";
import { createVault } from "./store/links/vault.ts";
import { isCurrent, migrateToLatest } from "./store/migrate.ts";
import { openNotifier } from "./store/notifier.ts";
import { createAccessTokens } from "./usecases/account/access-tokens.ts";
import { createCallBudgets } from "./usecases/account/call-budgets.ts";
import { createOpenAccount, createOpenWithToken } from "./usecases/account/open-account.ts";
import type { CabinetClient, Capabilities, Settings } from "./usecases/capabilities.ts";
import { VERSION } from "./version.ts";
import { createSignInIssuer } from "./web/auth/issuer.ts";
import { createMetrics, type ServedMetrics } from "./web/operations/metrics.ts";

export type Runtime = {
  readonly log: Logger;
  readonly now: () => Date;
};

/** Resources that services and commands share. Disposing of it closes everything in reverse order. */
export type Foundation = AsyncDisposable &
  Runtime & {
    readonly config: Config;
    readonly address: Address;
    /** For API and page. Small pool with a short acquire timeout: a user is waiting. */
    readonly serving: OpenDatabase;
    /** For recording events: always has a connection with a prepared plan, whatever the load on the API. */
    readonly receiving: OpenDatabase;
    /** For jobs, and for changes that requests make. */
    readonly working: OpenDatabase;
    readonly metrics: ServedMetrics;
    /** For every role except the receiver, which has its own recorder. */
    readonly tasks: Omit<Capabilities, "recorder"> & Settings & TaskUses;
    /** Aborts all calls to DocuSign, current and future, because the process ends. Other processes resume the work. */
    readonly giveUp: () => void;
  };

/** The work of a process: HTTP, jobs, or both. */
export type Role = "serve" | "work" | "all";

/** More did not serve more (docs/benchmarks.md). Workers only answer probes and metrics. */
const SERVING_CONNECTIONS = { serve: 8, all: 8, work: 2 };
const SERVING = { connectionTimeoutMs: 2_000, queryTimeoutMs: 15_000 };
/** The number of concurrent commits of events. */
export const RECEIVING_CONNECTIONS = 2;
/**
 * Beside one for each job: those of the locks, of the queue's listener and of its fetching, and two for jobs that send
 * statements at once. A job holds at most one connection while it waits for another, so jobs cannot wait for each other.
 */
const BESIDE_JOBS = 5;
/** For changes that requests make. A refresh of tokens keeps one while DocuSign answers. */
const CHANGING_CONNECTIONS = 6;
const WORKING = { connectionTimeoutMs: 30_000, prepared: "all" as const };
const COMMAND_PATIENCE_MS = 5_000;

/** Opens database, document store and DocuSign. Starts no background work. */
export async function openFoundation(
  config: Config,
  runtime: Runtime,
  role: Role = "all",
): Promise<Foundation> {
  const { log, now } = runtime;
  await using opened = new AsyncDisposableStack();
  const address = await findDatabase(config, log, opened);
  const open = databaseOpener({ address, log }, opened);
  const serving = open("serving", { ...SERVING, prepared: "marked", max: SERVING_CONNECTIONS[role] });
  const receiving = open("receiving", {
    ...SERVING,
    max: RECEIVING_CONNECTIONS,
    indexesOnly: true,
    keepConnected: true,
  });
  const working = open("working", {
    ...WORKING,
    max: role === "serve" ? CHANGING_CONNECTIONS : config.workerConcurrency + BESIDE_JOBS,
  });
  const metrics = createMetrics(VERSION);
  const givingUp = new AbortController();
  const { signal } = givingUp;
  const tasks = await createCapabilities({ ...runtime, config, address, working, metrics, signal }, opened);
  const kept = opened.move();
  return {
    config,
    log,
    now,
    address,
    serving,
    receiving,
    working,
    metrics,
    tasks,
    giveUp: () => givingUp.abort(endingFault(now())),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/**
 * Migrates the database to the current version, including the queue's schema and the partitions of event bodies. Grants
 * `databaseRuntimeRole` what serving and working need.
 */
export async function migrate(
  { db, pool }: OpenDatabase,
  { eventRetentionDays, databaseRuntimeRole }: Pick<Config, "eventRetentionDays" | "databaseRuntimeRole">,
): Promise<{ applied: string[] }> {
  return await migrateToLatest(db, {
    before: async () => await migrateQueue(pool),
    after: async (connection) => await prepareEventBodies(connection, eventRetentionDays),
    runtimeRole: databaseRuntimeRole,
  });
}

/** Migrates at start. If the database is current, this only reads: a role that may not change the schema is enough. */
export async function migrateAtStart({
  config,
  working,
}: Pick<Foundation, "config" | "working">): Promise<void> {
  await explainDenied(async () => {
    const databaseRuntimeRole = (await isCurrent(working.db)) ? null : config.databaseRuntimeRole;
    await migrate(working, { ...config, databaseRuntimeRole });
  });
}

/** Explains an error if the role of the database lacks a privilege at start. */
export async function explainDenied<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isPermissionDenied(cause)) throw cause;
    const missing = "migrations are not current, or the role lacks privileges";
    throw new Error(`${missing}: run torikomi migrate as the owner`, { cause });
  }
}

/** Opens only the configured database, for `migrate`, and closes it when the work is done. */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  work: (database: OpenDatabase) => Promise<T>,
): Promise<T> {
  await using opened = new AsyncDisposableStack();
  const open = databaseOpener({ address: await findDatabase(config, log, opened), log }, opened);
  return await work(open("command", { max: 2, connectionTimeoutMs: COMMAND_PATIENCE_MS }));
}

async function findDatabase(config: Config, log: Logger, opened: AsyncDisposableStack): Promise<Address> {
  const { databaseUrl, databaseUrlFile } = config;
  if (databaseUrl !== null)
    return databaseUrlFile === null ? databaseUrl : addressIn(databaseUrlFile, databaseUrl);
  const embedded = await openEmbeddedPostgres({
    dataDir: config.dataDir,
    production: config.production,
    log: (message) => log.warn(message),
  });
  opened.defer(async () => await embedded.close());
  return embedded.connectionString;
}

type DatabaseOpener = (
  name: string,
  limits: DatabaseOptions & { max: number; connectionTimeoutMs: number },
) => OpenDatabase;

function databaseOpener(
  { address, log }: { address: Address; log: Logger },
  opened: AsyncDisposableStack,
): DatabaseOpener {
  const onError = (error: Error): void => log.warn({ err: error }, "database connection lost");
  return (name, limits) =>
    opened.adopt(
      openDatabase(address, { ...limits, onError, applicationName: `torikomi ${name}` }),
      async (database) => await database.close(),
    );
}

type TaskRuntime = Runtime & {
  config: Config;
  address: Address;
  working: OpenDatabase;
  metrics: ServedMetrics;
  signal: AbortSignal;
};

async function createCapabilities(
  { config, address, log, now, working, metrics, signal }: TaskRuntime,
  opened: AsyncDisposableStack,
): Promise<Foundation["tasks"]> {
  const { db } = working;
  const vault = createVault(config.encryptionKeys);
  const redirectUri = `${config.publicUrl}/links/docusign/callback`;
  const oauth = createDocuSignOAuth({ ...config.docusign, redirectUri, now });
  const documents = opened.adopt(
    await openDocumentStore(config.documentStore, config.dataDir, config.documentEncryption),
    async (store) => await store.close(),
  );
  const budgets = createCallBudgets({ db, log, now, reserveShare: config.firstImportReserve });
  const tokens = createAccessTokens({ db, vault, oauth, log, now });
  const isApiAddress = createApiAddressCheck(config);
  const shared = { db, vault, oauth, budgets, log, now, metrics };
  const openAccount = createOpenAccount({ ...shared, tokens, isApiAddress, signal });
  return {
    ...shared,
    documents,
    cabinetClient: cabinetClientOf({ config, log, now }),
    openAccount,
    prepareTokens: tokens.prepare,
    openWithToken: createOpenWithToken({ isApiAddress, log, now }),
    notifier: opened.adopt(
      openNotifier(address, {
        onLost: (error) => log.warn({ err: error }, "the notifier's connection was lost"),
      }),
      async (notifier) => await notifier.close(),
    ),
    ...settingsOf(config),
    withJobId: (jobId, work) => withLogContext({ jobId }, work),
  };
}

function cabinetClientOf({ config, log, now }: Runtime & { config: Config }): CabinetClient | null {
  const { issuer, clientId, clientSecret } = config.cabinet;
  if (issuer === null || clientId === null || clientSecret === null) return null;
  const redirectUri = `${config.publicUrl}/sign-in/callback`;
  const client = createSignInIssuer({
    issuer,
    clientId,
    clientSecret,
    redirectUri,
    signedOutUrl: null,
    log,
    now,
  });
  return { check: async () => await client.checkClient() };
}

function settingsOf(config: Config): Settings {
  return {
    lanes: Math.max(1, Math.floor(config.workerConcurrency / 2)),
    reserveShare: config.firstImportReserve,
    cabinetIssuer: config.cabinet.issuer,
    cabinetOrigins: config.cabinet.origins,
    production: config.production,
    adminProfiles: config.adminProfiles,
    publicUrl: config.publicUrl,
    hmacKeys: config.hmacKeys,
    importTiming: config.importTiming,
    largeImport: config.largeImport,
    eventRetentionDays: config.eventRetentionDays,
    page: config.page,
  };
}
