import { spawn } from "node:child_process";
import { open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Cluster, dataArgument, giveTo } from "./cluster.ts";
import { PROGRAM_ENVIRONMENT, readCommandLine, runProgram } from "./process.ts";

export type Server = {
  readonly pid: number /** null while it is still starting */;
  readonly port: number | null;
};

/**
 * Returns the server that runs on the cluster, whichever process started it, or null. Removes a lock file whose process
 * id now belongs to a different program or to none: PostgreSQL would mistake it for a running server.
 */
export async function findServer(cluster: Cluster): Promise<Server | null> {
  const lockFile = join(cluster.data, "postmaster.pid");
  const lock = await readIfThere(lockFile);
  const lines = lock.split("\n");
  const pid = Number(lines[0]);
  const command = lock === "" ? null : await readCommandLine(pid);
  if (command === null) return null;
  if (isOther(command, cluster)) {
    if ((await readIfThere(lockFile)) === lock) await rm(lockFile);
    return null;
  }
  return { pid, port: Number(lines[3]) || null };
}

/**
 * Starts a server on the cluster. Returns once it owns the cluster or has ended without it: a different server was faster,
 * or the log has the reason. The server outlives this process and its terminal's signals.
 */
export async function launchServer(cluster: Cluster): Promise<void> {
  const port = await choosePort(cluster);
  await using log = await openLog(cluster);
  const child = spawn(join(cluster.bin, "postgres"), serverArguments(cluster, port), {
    cwd: cluster.data,
    env: PROGRAM_ENVIRONMENT,
    stdio: ["ignore", log.fd, log.fd],
    detached: true,
    ...cluster.user,
  });
  child.unref();
  const ended = new Promise<"ended">((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => resolve("ended"));
  });
  const isTaken = async (): Promise<boolean> => (await findServer(cluster))?.pid === child.pid;
  while (!(await isTaken()) && (await Promise.race([ended, wait(20)])) !== "ended");
}

/** Stops the server fast: connections end, committed data stays. Throws if that takes longer than 20 s. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const args = ["stop", `--pgdata=${dataArgument(cluster)}`, "--mode=fast", "--timeout=20", "--silent"];
  await runProgram(join(cluster.bin, "pg_ctl"), args, { cwd: cluster.data, user: cluster.user });
}

/** The last lines of the server's log. */
export async function readLogTail(cluster: Cluster): Promise<string> {
  return (await readIfThere(logPath(cluster))).trimEnd().split("\n").slice(-5).join("\n");
}

function isOther(command: string, cluster: Cluster): boolean {
  if (!command.includes("postgres")) return true;
  return command.includes(`${MARK}=`) && !command.includes(mark(cluster));
}

/** A setting that PostgreSQL ignores; it identifies the server in the list of processes. */
const MARK = "torikomi.cluster";

function mark(cluster: Cluster): string {
  return `${MARK}=${cluster.data}`;
}

function serverArguments(cluster: Cluster, port: number): string[] {
  const settings = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // The log must not contain statements or the values in a constraint's message.
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    log_checkpoints: "off",
    ...(!cluster.durable && { fsync: "off", full_page_writes: "off" }),
    ...cluster.settings,
  };
  const pairs = [...Object.entries(settings).map(([name, value]) => `${name}=${value}`), mark(cluster)];
  return ["-D", dataArgument(cluster), ...pairs.flatMap((pair) => ["-c", pair])];
}

/** Returns the previous port if it is free, so that clients' settings stay valid; otherwise any free port. */
async function choosePort(cluster: Cluster): Promise<number> {
  const path = join(cluster.folder, "port");
  const kept = Number(await readIfThere(path));
  const port = (await findFreePort(kept)) ?? (await findFreePort(0));
  if (port === null) throw new Error("no port of 127.0.0.1 is free");
  await writeFile(path, `${port}\n`);
  await giveTo(cluster.user, path);
  return port;
}

async function findFreePort(wanted: number): Promise<number | null> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(null));
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : null));
    });
  });
}

const LOG_LIMIT_BYTES = 10_000_000;

function logPath(cluster: Cluster): string {
  return join(cluster.folder, "server.log");
}

async function openLog(cluster: Cluster): Promise<Awaited<ReturnType<typeof open>>> {
  const path = logPath(cluster);
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_LIMIT_BYTES) await rename(path, `${path}.1`);
  const log = await open(path, "a", 0o600);
  await giveTo(cluster.user, path);
  return log;
}

async function readIfThere(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}
