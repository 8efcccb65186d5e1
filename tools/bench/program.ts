import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CLIENT } from "./docusign-client.ts";
import { KEY } from "./messages.ts";
import { ENCRYPTION_KEY } from "./seed.ts";

/** `torikomi` itself, as it runs in production, with compiled code, in a process of its own; its log goes nowhere. */
export type Program = AsyncDisposable & {
  readonly pid: number;
  readonly url: string;
  readonly startedInMs: number;
};

export type ProgramWish = {
  readonly role: "serve" | "work" | "all";
  readonly connectionString: string;
  /** The simulator's address; by default, nothing may call DocuSign. */
  readonly docusignUrl?: string;
  readonly cabinetIssuer?: string;
  readonly environment?: Readonly<Record<string, string>>;
};

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MOST_MS = 60_000;

/** Starts the program and waits until it says that it is ready. */
export async function startProgram(wish: ProgramWish): Promise<Program> {
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-bench-"));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const begin = performance.now();
  const child = spawn(process.execPath, ["src/main.ts", wish.role], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], ...environmentOf(wish, { dataDir, port: String(port) }) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  await Promise.race([
    untilReady(url),
    ended.then(([code]) => {
      throw new Error(`torikomi ${wish.role} ended with ${code} before it was ready`);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    url,
    startedInMs: performance.now() - begin,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function environmentOf(
  wish: ProgramWish,
  { dataDir, port }: { dataDir: string; port: string },
): Record<string, string> {
  return {
    NODE_COMPILE_CACHE: join(ROOT, "node_modules/.cache/compiled"),
    DATABASE_URL: wish.connectionString,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: port,
    DOCUSIGN_OAUTH_URL: wish.docusignUrl ?? "http://127.0.0.1:9",
    DOCUSIGN_CLIENT_ID: CLIENT.clientId,
    DOCUSIGN_CLIENT_SECRET: CLIENT.clientSecret,
    CONNECT_HMAC_KEYS: KEY,
    ENCRYPTION_KEYS: `${ENCRYPTION_KEY.id}:${ENCRYPTION_KEY.key.toString("base64")}`,
    ...(wish.cabinetIssuer !== undefined && { CABINET_ISSUER: wish.cabinetIssuer }),
    ...wish.environment,
  };
}

async function untilReady(url: string): Promise<void> {
  for (const end = performance.now() + MOST_MS; performance.now() < end; await sleep(5)) {
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
  }
  throw new Error(`torikomi is not ready after ${MOST_MS} ms`);
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
