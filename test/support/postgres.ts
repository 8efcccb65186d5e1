import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMigrations } from "graphile-worker";
import pg from "pg";
import { openDatabase } from "../../src/store/database.ts";
import { openEmbeddedPostgres } from "../../src/store/embedded/postgres.ts";
import { prepareEventBodies, slotHours } from "../../src/store/events/event-bodies.ts";
import { migrateToLatest } from "../../src/store/migrate.ts";
import { refuseInQuickRun } from "./run/quick-run.ts";

export type TestServer = AsyncDisposable & { readonly adminUrl: string };
export type TestDatabase = AsyncDisposable & { readonly connectionString: string };

/** A database that a plain role owns and has migrated, and that a different role serves. */
export type SharedDatabase = AsyncDisposable & {
  readonly adminUrl: string;
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
  readonly runtimeRole: string;
};

/** The variable in which the global setup passes the server's address to the test files. */
export const SERVER_VARIABLE = "TORIKOMI_TEST_SERVER";

/** Many files run at once, each with pools of its own. */
const SETTINGS = { max_connections: "300" };

/** A file system in memory, as Linux has it. */
const MEMORY = "/dev/shm";
/** Ample room for the write-ahead log and the databases of tests. */
const ROOM_BYTES = 4 * 1024 ** 3;

const TEMPLATE = "torikomi_template";

/** Each day of retention is eight partitions, and each test database copies them all. */
export const RETENTION_DAYS = 1;
export const SLOT_HOURS = slotHours(RETENTION_DAYS);

/**
 * A PostgreSQL of its own, holding a template of our database. It ends, and its folder goes, when it is disposed of, and
 * also when this process is killed. It writes to disk only where what it costs is measured, or where memory has no room.
 */
export async function startTestServer({
  durable = false,
  settings = {},
  programs = null,
}: {
  durable?: boolean;
  settings?: Readonly<Record<string, string>>;
  /** The folder of a different PostgreSQL's programs. */
  programs?: string | null;
} = {}): Promise<TestServer> {
  refuseInQuickRun("database server");
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(durable ? tmpdir() : await roomiestFolder(), "torikomi-test-"));
  opened.defer(guard(dataDir));
  // Programs older than 16 return to their working directory by its path.
  if (programs !== null) await chmod(dataDir, 0o711);
  const server = await openEmbeddedPostgres({
    dataDir,
    production: false,
    durable,
    settings: { ...SETTINGS, ...settings },
    programs,
  });
  opened.defer(() => server.close());
  await makeTemplate(server.connectionString);
  const kept = opened.move();
  return { adminUrl: server.connectionString, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A fresh database, as `torikomi migrate` leaves it, on the run's server or the given one. */
export async function createTestDatabase(adminUrl: string = readServerAddress()): Promise<TestDatabase> {
  return await createDatabase(adminUrl, `template ${TEMPLATE} strategy file_copy`);
}

/** A database with nothing in it, for what makes schemas itself. */
export async function createEmptyDatabase(adminUrl: string = readServerAddress()): Promise<TestDatabase> {
  return await createDatabase(adminUrl, "");
}

/** A database of a plain owner with nothing in it, and a role that may only connect to it. */
export async function createUnsharedDatabase(
  adminUrl: string = readServerAddress(),
): Promise<SharedDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const [owner, runtimeRole] = [`${name}_owner`, `${name} Runtime`];
  for (const role of [owner, runtimeRole])
    await administer(adminUrl, `create role "${role}" login password 'secret'`);
  await administer(adminUrl, `create database ${name} owner "${owner}"`);
  // As the runbook has it.
  await administer(adminUrl, `revoke temporary on database ${name} from public`);
  return {
    adminUrl: addressOf(adminUrl, name),
    ownerUrl: addressOf(adminUrl, name, owner),
    runtimeUrl: addressOf(adminUrl, name, runtimeRole),
    runtimeRole,
    async [Symbol.asyncDispose]() {
      await administer(adminUrl, `drop database if exists ${name} with (force)`);
      for (const role of [owner, runtimeRole]) await administer(adminUrl, `drop role "${role}"`);
    },
  };
}

/** The same after `torikomi migrate` as the owner. */
export async function createSharedDatabase(adminUrl?: string): Promise<SharedDatabase> {
  const shared = await createUnsharedDatabase(adminUrl);
  await migrateTestDatabase(shared.ownerUrl, shared.runtimeRole);
  return shared;
}

/** True if new connections are let in; those that are there go on. Only from another database can it be said. */
export async function allowConnections({ connectionString }: TestDatabase, allowed: boolean): Promise<void> {
  const name = new URL(connectionString).pathname.slice(1);
  await administer(
    addressOf(connectionString, "postgres"),
    `alter database ${name} allow_connections ${allowed}`,
  );
}

/** Brings a database to the current version as the service does, graphile-worker's schema included. */
export async function migrateTestDatabase(
  connectionString: string,
  runtimeRole: string | null = null,
): Promise<{ applied: string[] }> {
  const database = openDatabase(connectionString);
  try {
    return await migrateToLatest(database.db, {
      before: async () => await runMigrations({ pgPool: database.pool }),
      after: async (connection) => await prepareEventBodies(connection, RETENTION_DAYS),
      runtimeRole,
    });
  } finally {
    await database.close();
  }
}

/** Each test's database is some three hundred files, made and removed again: a file system on disk is kept busy by that. */
async function roomiestFolder(): Promise<string> {
  const memory = await statfs(MEMORY).catch(() => null);
  return memory !== null && memory.bavail * memory.bsize >= ROOM_BYTES ? MEMORY : tmpdir();
}

async function makeTemplate(adminUrl: string): Promise<void> {
  await administer(adminUrl, `create database ${TEMPLATE}`);
  await migrateTestDatabase(addressOf(adminUrl, TEMPLATE));
}

async function createDatabase(adminUrl: string, source: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await administer(adminUrl, `create database ${name} ${source}`);
  return {
    connectionString: addressOf(adminUrl, name),
    async [Symbol.asyncDispose]() {
      await administer(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

function readServerAddress(): string {
  refuseInQuickRun("database server");
  const address = process.env[SERVER_VARIABLE];
  if (address !== undefined) return address;
  throw new Error(
    "no test database server: run with node --test --test-global-setup=./test/support/global-setup.ts FILE",
  );
}

/** Kept for the next statement, as a connection takes longer to open than what it is for; they keep no process alive. */
const administrators = new Map<string, pg.Pool>();

async function administer(adminUrl: string, statement: string): Promise<void> {
  const pool = administrators.get(adminUrl) ?? openAdministrators(adminUrl);
  administrators.set(adminUrl, pool);
  await pool.query(statement);
}

function openAdministrators(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, idleTimeoutMillis: 60_000, allowExitOnIdle: true });
  // A server that has ended with its test ends them too; the pool connects again when it is asked.
  pool.on("error", () => {});
  return pool;
}

function addressOf(adminUrl: string, database: string, role: string | null = null): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (role !== null) [url.username, url.password] = [encodeURIComponent(role), "secret"];
  return url.href;
}

/** Waits for the end of its input, which comes however we end, then stops what still runs and removes the folder. */
const GUARD = `
  cat
  lock="$1/postgres/cluster/postmaster.pid"
  pid=$(head -n 1 "$lock" 2>/dev/null) && kill -INT "$pid" && while [ -e "$lock" ]; do sleep 0.1; done
  rm -rf "$1"`;

function guard(folder: string): () => Promise<void> {
  const child = spawn("/bin/sh", ["-c", GUARD, "guard", folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(child, "exit");
  return async () => {
    child.stdin.end();
    await ended;
  };
}
