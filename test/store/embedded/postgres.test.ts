import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { bringWithinReach, locateBinaries } from "../../../src/store/embedded/binaries.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "../../../src/store/embedded/postgres.ts";

const NOBODY = { uid: 65_534, gid: 65_534 };
/** PostgreSQL removes its lock file when it stops. */
const NO_FILE = { code: "ENOENT" };
const isRoot = process.getuid?.() === 0;

let model: Folder;

before(async () => {
  model = await makeFolder();
  await (await open(model.path)).close();
});

/** The tests end these processes themselves unless they fail. */
const started: ChildProcess[] = [];

after(async () => {
  for (const child of started) child.kill("SIGKILL");
  await model[Symbol.asyncDispose]();
});

test("data is kept, in a folder that is closed to all other users", async () => {
  await using folder = await makeFolder();
  const first = await open(folder.path);
  await ask(first, "create table kept as select 'here' as word");
  await first.close();

  const second = await open(folder.path);
  const rows = await ask(second, "select word from kept");
  await second.close();

  assert.equal((await stat(folder.path)).mode & 0o777, 0o700);
  assert.deepEqual(rows, [{ word: "here" }]);
});

test("the server listens on loopback only, always on the same port, and requires the password", async () => {
  await using folder = await makeUsedFolder();
  const first = await open(folder.path);
  const wrong = new URL(first.connectionString);
  wrong.password = "wrong";

  const listening = await ask(first, "select current_setting('listen_addresses') as on");
  await assert.rejects(ask({ connectionString: wrong.href }, "select 1"), { code: "28P01" });
  await first.close();
  const second = await open(folder.path);
  await second.close();

  const password = await stat(join(folder.path, "postgres", "cluster", "torikomi.password"));
  assert.deepEqual(listening, [{ on: "127.0.0.1" }]);
  assert.equal(second.connectionString, first.connectionString);
  assert.equal(password.mode & 0o777, 0o600);
});

test("a server that must be durable writes through to the disk", async () => {
  await using folder = await makeUsedFolder();

  const server = await openEmbeddedPostgres({ dataDir: folder.path, production: false });
  const settings = await ask(
    server,
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit",
  );
  await server.close();

  assert.deepEqual(settings, [{ fsync: "on", commit: "on" }]);
});

test("several programs that start at once share one server, and the last one to leave stops it", async () => {
  await using folder = await makeFolder();

  const holders = await Promise.all([
    startHolder(folder.path),
    startHolder(folder.path),
    startHolder(folder.path),
  ]);
  const addresses = new Set(holders.map((holder) => holder.connectionString));
  await holders[0]?.leave();
  await holders[1]?.leave();
  const meanwhile = await ask({ connectionString: [...addresses][0] ?? "" }, "select 1 as one");
  await holders[2]?.leave();

  assert.equal(addresses.size, 1);
  assert.deepEqual(meanwhile, [{ one: 1 }]);
  await assert.rejects(readServerPid(folder.path), NO_FILE);
});

test("a server left running by a killed process is taken over", async () => {
  await using folder = await makeUsedFolder();
  const killed = await startHolder(folder.path);
  await killed.kill();
  const left = await readServerPid(folder.path);

  const server = await open(folder.path);
  const taken = await readServerPid(folder.path);
  await server.close();

  assert.equal(taken, left);
  await assert.rejects(readServerPid(folder.path), NO_FILE);
});

test("committed data survives the kill of server and program, and their lock file does no harm", async () => {
  await using folder = await makeUsedFolder();
  const killed = await startHolder(folder.path);
  await ask(killed, "create table kept as select 1 as one");
  process.kill(await readServerPid(folder.path), "SIGKILL");
  await killed.kill();

  const server = await open(folder.path);
  const rows = await ask(server, "select one from kept");
  await server.close();

  assert.deepEqual(rows, [{ one: 1 }]);
});

test("a lock file whose process id now belongs to another program does no harm", {
  timeout: 60_000,
}, async () => {
  await using folder = await makeUsedFolder();
  const lockFile = join(folder.path, "postgres", "cluster", "postmaster.pid");
  const owner = await stat(dirname(lockFile));
  const other = spawn("sleep", ["600"], { cwd: "/", ...(isRoot && { uid: owner.uid, gid: owner.gid }) });
  started.push(other);
  await once(other, "spawn");
  await writeFile(lockFile, `${other.pid}\n/proc/self/cwd\n1\n5432\n\n127.0.0.1\n`);
  await chown(lockFile, owner.uid, owner.gid);

  const server = await open(folder.path);
  const rows = await ask(server, "select 1 as one");
  await server.close();

  assert.deepEqual(rows, [{ one: 1 }]);
});

test("an incomplete cluster is removed", async () => {
  await using folder = await makeFolder();
  const halfMade = join(folder.path, "postgres", "making-abcdef");
  await mkdir(join(halfMade, "base"), { recursive: true });
  await utimes(halfMade, new Date(0), new Date(0));

  const server = await open(folder.path);
  await server.close();

  assert.deepEqual((await readdir(join(folder.path, "postgres"))).sort(), ["cluster", "port", "server.log"]);
});

test("a server that dies while its program runs is restarted on the same address", {
  timeout: 60_000,
}, async () => {
  await using folder = await makeUsedFolder();
  const noticed = Promise.withResolvers<string>();
  const server = await open(folder.path, noticed.resolve);
  await ask(server, "create table kept as select 1 as one");
  process.kill(await readServerPid(folder.path), "SIGKILL");
  await noticed.promise;

  const rows = await askUntilAnswered(server, "select one from kept");
  await server.close();

  assert.deepEqual(rows, [{ one: 1 }]);
  await assert.rejects(readServerPid(folder.path), NO_FILE);
});

test("production is refused before anything is created", async () => {
  await using folder = await makeFolder();

  await assert.rejects(
    openEmbeddedPostgres({ dataDir: folder.path, production: true }),
    /not for production/,
  );

  assert.deepEqual(await readdir(folder.path), []);
});

test("closing twice is harmless", async () => {
  await using folder = await makeUsedFolder();
  const server = await open(folder.path);

  await Promise.all([server.close(), server.close()]);
  await server.close();

  await assert.rejects(readServerPid(folder.path), NO_FILE);
});

test("the server runs for a user other than root", {
  skip: !isRoot && "needs root to become another user",
}, async (context) => {
  if (!canRead(NOBODY)) return context.skip("this checkout is closed to other users");
  await using folder = await makeFolder();
  await chown(folder.path, NOBODY.uid, NOBODY.gid);

  const holder = await startHolder(folder.path, NOBODY);
  const rows = await ask(holder, "select 1 as one");
  await holder.leave();

  assert.deepEqual(rows, [{ one: 1 }]);
  assert.equal((await stat(join(folder.path, "postgres", "cluster"))).uid, NOBODY.uid);
});

test("root uses a cluster that another user created, and leaves it to that user", {
  skip: !isRoot && "needs root to become another user",
}, async (context) => {
  if (!canRead(NOBODY)) return context.skip("this checkout is closed to other users");
  await using folder = await makeFolder();
  await chown(folder.path, NOBODY.uid, NOBODY.gid);
  await (await startHolder(folder.path, NOBODY)).leave();
  await (await open(folder.path)).close();

  const holder = await startHolder(folder.path, NOBODY);
  const rows = await ask(holder, "select 1 as one");
  await holder.leave();

  assert.deepEqual(rows, [{ one: 1 }]);
});

test("programs in a folder closed to the server's user are copied to an accessible place", {
  skip: !isRoot && "only root starts a server as another user",
}, async () => {
  await using closed = await makeFolder();
  await using copies = await makeFolder();
  await chmod(copies.path, 0o755);
  const binaries = await locateBinaries();
  const hidden = { ...binaries, folder: join(closed.path, "native") };
  for (const part of ["bin", "lib"]) {
    await cp(join(binaries.folder, part), join(hidden.folder, part), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }

  const [one, other] = await Promise.all([
    bringWithinReach(hidden, NOBODY, join(copies.path, "torikomi")),
    bringWithinReach(hidden, NOBODY, join(copies.path, "torikomi")),
  ]);

  const version = spawnSync(join(one, "bin", "postgres"), ["--version"], {
    cwd: "/",
    ...NOBODY,
    encoding: "utf8",
  });
  assert.equal(other, one);
  assert.match(version.stdout, /^postgres \(PostgreSQL\)/);
  assert.deepEqual((await readdir(join(copies.path, "torikomi"))).length, 1);
});

test("programs that the server's user can run are not copied", async () => {
  const binaries = await locateBinaries();

  assert.equal(await bringWithinReach(binaries, undefined, "/nowhere"), binaries.folder);
});

async function open(dataDir: string, log?: (message: string) => void): Promise<EmbeddedPostgres> {
  return await openEmbeddedPostgres({
    dataDir,
    production: false,
    durable: false,
    ...(log !== undefined && { log }),
  });
}

type Folder = AsyncDisposable & { path: string };

/** A folder in which the server has run before, copied because creating a cluster takes a second. */
async function makeUsedFolder(): Promise<Folder> {
  const folder = await makeFolder();
  spawnSync("cp", ["-a", join(model.path, "postgres"), folder.path]);
  return folder;
}

/** Closed to all other users, like a home directory. */
async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "torikomi-embedded-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function ask(server: { connectionString: string }, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.connectionString });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function askUntilAnswered(server: { connectionString: string }, statement: string): Promise<unknown[]> {
  for (;;) {
    const rows = await ask(server, statement).catch(() => null);
    if (rows !== null) return rows;
  }
}

type Holder = { connectionString: string; leave(): Promise<void>; kill(): Promise<void> };

const HOLDER = fileURLToPath(new URL("../../support/embedded-holder.ts", import.meta.url));

async function startHolder(dataDir: string, user?: { uid: number; gid: number }): Promise<Holder> {
  const child = spawn(process.execPath, [HOLDER, dataDir], { stdio: ["pipe", "pipe", "inherit"], ...user });
  started.push(child);
  const ended = once(child, "exit");
  const [connectionString] = await once(createInterface(child.stdout), "line");
  return {
    connectionString: String(connectionString),
    leave: () => endWith(child, ended, () => child.stdin.end()),
    kill: () => endWith(child, ended, () => child.kill("SIGKILL")),
  };
}

async function endWith(child: ChildProcess, ended: Promise<unknown>, end: () => unknown): Promise<void> {
  end();
  await ended;
  assert.ok(child.exitCode === 0 || child.signalCode === "SIGKILL");
}

async function readServerPid(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, "postgres", "cluster", "postmaster.pid"), "utf8"), 10);
}

function canRead(user: { uid: number; gid: number }): boolean {
  return spawnSync(process.execPath, ["--check", HOLDER], { ...user, cwd: "/" }).status === 0;
}
