import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { startProgram } from "../cli/commands.ts";

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");

/** Version 0.1, and its last migration. */
const COMMIT = "936ea2cec394ee08e6265a731e48cd37d348b367";
export const LAST_MIGRATION = "0003-indexes-for-large-tenants";

/** The source of version 0.1 in a folder of its own. */
export type FirstVersion = AsyncDisposable & {
  readonly program: string;
  /** For NODE_COMPILE_CACHE: its processes need not compile it each time. */
  readonly compiled: string;
};

/**
 * Unpacks version 0.1. Returns null if this is not a clone that holds its commit.
 *
 * Version 0.1 uses the packages installed here, so it needs all dependencies that its package.json names: AWS SDK,
 * OpenTelemetry, cli-progress, docusign-esign, express, express-rate-limit, fast-xml-parser, graphile-worker, helmet,
 * jose, kysely, openid-client, pg, pino, prom-client and zod. A package that this version drops, or raises to an
 * incompatible version, must stay installed as a dev dependency as long as upgrades from 0.1 are supported.
 */
export async function unpackFirstVersion(): Promise<FirstVersion | null> {
  await using unpacked = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "torikomi-first-version-"));
  unpacked.defer(async () => await rm(folder, { recursive: true, force: true }));
  const archive = join(folder, "source.tar");
  const parts = ["src", "migrations", "package.json"];
  try {
    await execute("git", ["archive", `--output=${archive}`, COMMIT, ...parts], { cwd: ROOT });
  } catch {
    return null;
  }
  await execute("tar", ["--extract", `--file=${archive}`, `--directory=${folder}`]);
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await checkDependencies(folder);
  const kept = unpacked.move();
  return {
    program: join(folder, "src", "main.ts"),
    compiled: join(folder, "compiled"),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function checkDependencies(folder: string): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const installed = await Promise.all(
    Object.keys(dependencies).map(async (name) => {
      const found = access(join(folder, "node_modules", name)).then(() => true);
      return { name, isThere: await found.catch(() => false) };
    }),
  );
  const missing = installed.filter(({ isThere }) => !isThere).map(({ name }) => name);
  assert.deepEqual(missing, [], "packages that version 0.1 needs: keep them as dev dependencies");
}

/** A process that serves or works. Disposing of it ends it as a deployment does, and requires a clean end. */
export type Running = AsyncDisposable & { readonly url: string };

export type Start = {
  readonly environment: Readonly<Record<string, string>>;
  /** The folder of its program; this version's by default. */
  readonly program?: string;
  /** Takes the errors that it logs. */
  readonly errors: string[];
};

/** Starts a role of a version. Resolves once it runs. */
export async function startRole(
  role: "serve" | "work",
  { environment, program, errors }: Start,
): Promise<Running> {
  const child = startProgram([role], environment, program);
  const running = Promise.withResolvers<{ port: number }>();
  createInterface(child.stdout).on("line", (line) => {
    const entry = JSON.parse(line);
    if (entry.level >= ERROR) errors.push(line);
    if (entry.msg === "torikomi is running") running.resolve(entry);
  });
  createInterface(child.stderr).on("line", (line) => errors.push(line));
  const exited = once(child, "close");
  void exited.then(() => running.reject(new Error(`${role} has ended`)));
  const { port } = await running.promise;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      const [status] = await exited;
      assert.equal(status, 0);
    },
  };
}

/** pino's level of errors and above. */
const ERROR = 50;
