import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, prepareCluster, ROLE, readPassword } from "../../src/store/embedded/cluster.ts";
import { findServer, launchServer, stopServer } from "../../src/store/embedded/server.ts";
import { canConnect } from "../../test/support/trials/activity.ts";
import { until } from "../../test/support/waiting.ts";

/** A PostgreSQL that can be stopped and started: nobody starts it again by themselves. */
export type TrialCluster = AsyncDisposable & {
  readonly adminUrl: string;
  stop(): Promise<void>;
  /** Kills all of it at once, as when its machine fails. */
  kill(): Promise<void>;
  start(): Promise<void>;
};

const SETTINGS = { max_connections: "140" };

/** Creates and starts a cluster in the temporary folder. Commits are durable, as in production. */
export async function startCluster(): Promise<TrialCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-trials-"));
  const cluster = await prepareCluster({ dataDir, durable: true, settings: SETTINGS });
  await launch(cluster);
  const adminUrl = await waitUntilOpen(cluster);
  return {
    adminUrl,
    stop: async () => await stopServer(cluster),
    kill: async () => {
      const running = await findServer(cluster);
      if (running !== null) process.kill(running.pid, "SIGKILL");
      await until(async () => (await findServer(cluster)) === null, "PostgreSQL is dead");
    },
    start: async () => {
      await launch(cluster);
      await waitUntilOpen(cluster);
    },
    async [Symbol.asyncDispose]() {
      if ((await findServer(cluster)) !== null) await stopServer(cluster);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Backends of a killed server live for a moment, and until they have gone it cannot be started again. */
async function launch(cluster: Cluster): Promise<void> {
  await until(async () => {
    await launchServer(cluster);
    return (await findServer(cluster)) !== null;
  }, "PostgreSQL starts");
}

/** It takes the port of last time, so the address stays. */
async function waitUntilOpen(cluster: Cluster): Promise<string> {
  const password = await readPassword(cluster);
  let address = "";
  await until(async () => {
    const port = (await findServer(cluster))?.port;
    address = `postgres://${ROLE}:${password}@127.0.0.1:${port}/postgres`;
    return port !== null && (await canConnect(address));
  }, "PostgreSQL takes connections");
  return address;
}
