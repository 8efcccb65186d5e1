import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { type Cluster, prepareCluster, ROLE, readPassword } from "./embedded-cluster.ts";
import { findServer, launchServer, readLogTail, stopServer } from "./embedded-server.ts";

export type EmbeddedPostgres = {
  readonly connectionString: string;
  /** Leaves the server, and stops it where nobody else uses it: within 20 s or so. A second call changes nothing. */
  close(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** The cluster lies in its folder `postgres`. */
  dataDir: string;
  /** Refused: production has a database of its own. */
  production: boolean;
  /** False gives up safety against crashes of the machine for speed, as tests do. */
  durable?: boolean;
  /** PostgreSQL's settings beside ours. */
  settings?: Readonly<Record<string, string>>;
  log?: (message: string) => void;
};

/**
 * A PostgreSQL of our own for development and one small machine: joins the server that runs on the data folder
 * already, or makes and starts it. Takes over what a killed process left behind. Every user of the server keeps one
 * connection with a shared lock; the one that gets it exclusively is the last and stops the server, so that neither
 * starting nor stopping needs a lock that could outlive a process.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (options.production) throw new Error("the embedded PostgreSQL is not for production: set DATABASE_URL");
  const cluster = await prepareCluster({
    dataDir: options.dataDir,
    durable: options.durable ?? true,
    settings: options.settings ?? {},
  });
  const membership = await joinOrLaunch(cluster);
  const log = options.log ?? (() => {});
  membership.keeper.on("end", () => log("the embedded PostgreSQL has closed our connection"));
  let closing: Promise<void> | undefined;
  return {
    connectionString: membership.connectionString,
    close: () => (closing ??= leave(cluster, membership.keeper, log)),
  };
}

type Membership = { readonly connectionString: string; readonly keeper: pg.Client };

const LAUNCHES = 10;
const PATIENCE_MS = 120_000;

async function joinOrLaunch(cluster: Cluster): Promise<Membership> {
  for (let launches = 0; ; launches++) {
    const membership = await join(cluster, AbortSignal.timeout(PATIENCE_MS));
    if (membership !== null) return membership;
    if (launches === LAUNCHES) break;
    // Backends of a killed server need a moment to notice and go.
    if (launches > 0) await wait(300);
    await launchServer(cluster);
  }
  throw new Error(
    `the embedded PostgreSQL does not start in ${cluster.data}:\n${await readLogTail(cluster)}`,
  );
}
