import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { type Cluster, ROLE, readPassword } from "./cluster.ts";
import { findServer, launchServer, readLogTail, stopServer } from "./server.ts";

/**
 * Membership of the users of a server. Each user keeps one connection with a shared advisory lock. A user that gets the
 * lock exclusively is the last and may stop the server. The lock ends with its connection, so it cannot outlive a
 * process.
 */
export type Membership = { readonly connectionString: string; readonly keeper: pg.Client };

/** Joins the server that runs on the cluster, or starts one. */
export async function joinServer(cluster: Cluster): Promise<Membership> {
  for (let launches = 0; ; launches++) {
    const membership = await joinRunning(cluster, AbortSignal.timeout(PATIENCE_MS));
    if (membership !== null) return membership;
    if (launches === LAUNCHES) break;
    // The sessions of a killed server end a moment later.
    if (launches > 0) await wait(300);
    await launchServer(cluster);
  }
  throw new Error(
    `the embedded PostgreSQL does not start in ${cluster.data}:\n${await readLogTail(cluster)}`,
  );
}

/** Leaves the server, and stops it within 20 s if nothing else uses it. */
export async function leaveServer(cluster: Cluster, { keeper }: Membership): Promise<void> {
  try {
    if (await isLast(keeper)) await stopServer(cluster);
  } finally {
    await keeper.end();
  }
}

const LAUNCHES = 10;
/** Long enough for PostgreSQL to recover from a crash under load. */
const PATIENCE_MS = 120_000;

/** Returns null if no server runs. Waits for a server that is starting or stopping. */
async function joinRunning(cluster: Cluster, patience: AbortSignal): Promise<Membership | null> {
  for (;;) {
    const server = await findServer(cluster);
    if (server === null) return null;
    const entered = server.port === null ? "not yet" : await enter(await formAddress(cluster, server.port));
    if (typeof entered === "object") return entered;
    if (patience.aborted) throw new Error(`the PostgreSQL in ${cluster.data} does not let us in: ${entered}`);
    await wait(50);
  }
}

async function formAddress(cluster: Cluster, port: number): Promise<string> {
  return `postgres://${ROLE}:${await readPassword(cluster)}@127.0.0.1:${port}/postgres`;
}

const MEMBERS_LOCK = 7_310_200_002;

async function enter(connectionString: string): Promise<Membership | string> {
  const application_name = "torikomi keeper";
  const keeper = new pg.Client({
    connectionString,
    application_name,
    keepAlive: true,
    query_timeout: 10_000,
  });
  // The membership's watcher reports it. Without a listener here the error would end the process.
  keeper.on("error", () => {});
  try {
    await keeper.connect();
    if (await ask(keeper, "pg_try_advisory_lock_shared")) return { connectionString, keeper };
  } catch (error) {
    return String(error);
  }
  await keeper.end();
  return "it is being stopped";
}

async function isLast(keeper: pg.Client): Promise<boolean> {
  return (await ask(keeper, "pg_advisory_unlock_shared")) && (await ask(keeper, "pg_try_advisory_lock"));
}

async function ask(keeper: pg.Client, lockFunction: string): Promise<boolean> {
  const { rows } = await keeper.query<{ done: boolean }>(`select ${lockFunction}(${MEMBERS_LOCK}) as done`);
  return rows[0]?.done === true;
}
