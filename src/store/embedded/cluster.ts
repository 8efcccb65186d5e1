import { randomBytes } from "node:crypto";
import {
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { bringWithinReach, locateBinaries } from "./binaries.ts";
import { runProgram, type ServerUser } from "./process.ts";
import { chooseServerUser } from "./user.ts";

/** A database cluster and everything needed to run it. */
export type Cluster = {
  /** Contains the cluster, its port and its log. */
  readonly folder: string;
  /** PostgreSQL's own data folder; owned by `user`. */
  readonly data: string;
  /** PostgreSQL's programs. */
  readonly bin: string;
  readonly user: ServerUser | undefined;
  /** False if a crash of the machine may lose everything, as in tests. */
  readonly durable: boolean;
  readonly settings: Readonly<Record<string, string>>;
};

/** The superuser of an embedded cluster. */
export const ROLE = "torikomi";

/**
 * PostgreSQL's programs get their data folder as the working directory, entered before they switch users. So the path to
 * it may be inaccessible to that user.
 */
export function dataArgument(cluster: Cluster): string {
  return platform() === "linux" ? "/proc/self/cwd" : cluster.data;
}

/** Returns the cluster under a data folder. Creates it atomically if it is missing, also when several processes start. */
export async function prepareCluster(options: {
  dataDir: string;
  durable: boolean;
  settings: Readonly<Record<string, string>>;
  programs?: string | null;
}): Promise<Cluster> {
  await mkdir(options.dataDir, { recursive: true });
  const folder = join(await realpath(options.dataDir), "postgres");
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const data = join(folder, "cluster");
  const user = await chooseServerUser(data);
  const bin = options.programs ?? (await findPrograms(user));
  const cluster = { ...options, folder, data, bin, user };
  if (!(await exists(data))) await makeCluster(cluster);
  return cluster;
}

async function findPrograms(user: ServerUser | undefined): Promise<string> {
  return join(await bringWithinReach(await locateBinaries(), user, "/var/lib/torikomi"), "bin");
}

/** The cluster's password; it is stored with the cluster. */
export async function readPassword(cluster: Cluster): Promise<string> {
  return (await readFile(join(cluster.data, PASSWORD_FILE), "utf8")).trim();
}

const PASSWORD_FILE = "torikomi.password";

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Created aside and then renamed: a kill leaves no partial cluster, and the first of several processes wins. */
async function makeCluster(cluster: Cluster): Promise<void> {
  const making = await mkdtemp(join(cluster.folder, MAKING));
  await removeAbandoned(cluster.folder, making);
  try {
    await initialise({ ...cluster, data: making });
    await rename(making, cluster.data);
  } catch (error) {
    if (!(await exists(cluster.data))) throw error;
  } finally {
    await rm(making, { recursive: true, force: true });
    await rm(`${making}.password`, { force: true });
  }
}

const MAKING = "making-";
const ABANDONED_MS = 10 * 60_000;

async function removeAbandoned(folder: string, mine: string): Promise<void> {
  const now = (await stat(mine)).mtimeMs;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = name.startsWith(MAKING) ? await stat(path).catch(() => undefined) : undefined;
    if (found !== undefined && now - found.mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
}

async function initialise(cluster: Cluster): Promise<void> {
  const passwordFile = `${cluster.data}.password`;
  await writeFile(passwordFile, `${randomBytes(24).toString("hex")}\n`, {
    mode: 0o600,
    flag: "wx",
    flush: true,
  });
  await giveTo(cluster.user, cluster.data);
  await giveTo(cluster.user, passwordFile);
  await using password = await open(passwordFile);
  await runProgram(
    join(cluster.bin, "initdb"),
    [
      `--pgdata=${dataArgument(cluster)}`,
      `--username=${ROLE}`,
      "--pwfile=/dev/stdin",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      ...(cluster.durable ? [] : ["--no-sync"]),
    ],
    { cwd: cluster.data, user: cluster.user, stdin: password.fd },
  );
  await rename(passwordFile, join(cluster.data, PASSWORD_FILE));
}

/** Changes the owner of a file or folder to the user that the server runs as. */
export async function giveTo(user: ServerUser | undefined, path: string): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
}
