import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../support/free-port.ts";
import { createWorld } from "../support/world.ts";
import { environmentOf } from "./commands.ts";

test("a service started by npm ends with npm, in order", async () => {
  await using world = await createWorld();
  const environment = { ...environmentOf(world), HOST: "127.0.0.1", PORT: "0" };
  await using started = startByNpm(["start", "--", "serve"], environment);
  await started.says(/torikomi is running/);

  started.npm.kill("SIGTERM");

  assert.deepEqual(await once(started.npm, "exit"), [0, null]);
  assert.equal(isAnyoneLeft(started.npm), false);
  await started.says(/"msg":"stopped"/);
});

test("a signal to all processes of a service reaches it again from npm, and it still ends in order", async () => {
  await using world = await createWorld();
  const environment = { ...environmentOf(world), HOST: "127.0.0.1", PORT: "0" };
  await using started = startByNpm(["start", "--", "serve"], environment);
  await started.says(/torikomi is running/);

  signalAll(started.npm, "SIGTERM");

  await started.says(/"msg":"stopped"/);
  while (isAnyoneLeft(started.npm)) await sleep(50);
});

test("a demo started by npm ends with npm, in order", async () => {
  await using started = startByNpm(["run", "demo"], {});
  await started.says(/the page +http/);

  started.npm.kill("SIGTERM");

  assert.deepEqual(await once(started.npm, "exit"), [0, null]);
  assert.equal(isAnyoneLeft(started.npm), false);
});

test("Ctrl-C reaches the demo from the terminal and from npm, and it still ends in order", async () => {
  await using started = startByNpm(["run", "demo"], {});
  await started.says(/契約書 2\./);

  signalAll(started.npm, "SIGINT");

  await started.says(/from event to readable contract/);
  while (isAnyoneLeft(started.npm)) await sleep(50);
});

test("the demo listens on PORT and keeps DATA_DIR, so the next demo shows the contracts of both", async () => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-demo-test-"));
  opened.defer(async () => await rm(dataDir, { recursive: true }));
  const port = await findFreePort();
  const contracts = `http://127.0.0.1:${port}/v1/contracts`;
  const subjects: string[][] = [];

  for (const _demo of ["first", "second"]) {
    await using started = startByNpm(["run", "demo"], { PORT: String(port), DATA_DIR: dataDir });
    const [, token] = await started.says(/TOKEN=(.+)/);
    await started.says(/契約書 0\./);
    const answer = await fetch(contracts, { headers: { authorization: `Bearer ${token}` } });
    const { items } = JSON.parse(await answer.text());
    subjects.push(items.map(({ source }: { source: { subject: string } }) => source.subject));
    started.npm.kill("SIGTERM");
    assert.deepEqual(await once(started.npm, "exit"), [0, null]);
  }

  const found = subjects.map((all) => all.filter((subject) => subject === "連携前に締結した契約書").length);
  assert.deepEqual(found, [1, 2]);
});

test("a demo ends if its PORT is taken instead of choosing another", async () => {
  await using world = await createWorld();
  const { port } = new URL(world.url);
  await using started = startByNpm(["run", "demo"], { PORT: port });

  assert.deepEqual(await once(started.npm, "exit"), [78, null]);
  assert.match(await started.errors, new RegExp(`^demo: PORT ${port} is not available$`, "m"));
});

type Npm = ChildProcessByStdio<null, Readable, Readable>;

type Started = AsyncDisposable & {
  readonly npm: Npm;
  /** The complete standard error, once the process has ended. */
  readonly errors: Promise<string>;
  /** Reads standard output up to the line that matches. */
  readonly says: (words: RegExp) => Promise<RegExpExecArray>;
};

/** Starts npm in the checkout, as a user does, with its own process group so that all processes can be found. */
function startByNpm(args: readonly string[], environment: Readonly<Record<string, string>>): Started {
  const npm = spawn("npm", args, {
    cwd: join(import.meta.dirname, "..", ".."),
    env: { PATH: process.env["PATH"] ?? "", npm_config_update_notifier: "false", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const lines = createInterface({ input: npm.stdout })[Symbol.asyncIterator]();
  const errors = text(npm.stderr);
  return {
    npm,
    errors,
    says: async (words) => {
      for (;;) {
        const { done, value } = await lines.next();
        if (done === true) assert.fail(`ended without ${String(words)}: ${await errors}`);
        const found = words.exec(value);
        if (found !== null) return found;
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (isAnyoneLeft(npm)) signalAll(npm, "SIGKILL");
    },
  };
}

function isAnyoneLeft(npm: Npm): boolean {
  try {
    signalAll(npm, 0);
    return true;
  } catch {
    return false;
  }
}

function signalAll({ pid }: Npm, signal: NodeJS.Signals | 0): void {
  assert.ok(pid !== undefined);
  process.kill(-pid, signal);
}
