import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenDatabase, openDatabase } from "../../../src/store/database.ts";
import { createBrowser } from "../browser.ts";
import { type Cabinet, startCabinet } from "../cabinet/cabinet.ts";
import { type DocuSignSimulator, startDocuSignSimulator } from "../docusign/simulator.ts";
import type { Account, User } from "../docusign/state.ts";
import { createEmptyDatabase } from "../postgres.ts";
import { until } from "../waiting.ts";
import { EVERY_SCOPE, finishLink, HMAC_KEYS } from "../world.ts";
import { TRIALS } from "./activity.ts";
import { startIngress } from "./ingress.ts";
import { type Environment, type Outcome, type Program, runCommand, startProgram } from "./program.ts";

export type GroundOptions = {
  /** The server on which a database is made; the test run's by default. */
  readonly adminUrl?: string;
  readonly serves?: number;
  readonly works?: number;
  /** Those that are both in one process. */
  readonly alls?: number;
  readonly environment?: Environment;
};

/** torikomi as it is deployed, each process by itself, with nginx in front and DocuSign and the cabinet played by us. */
export type Ground = AsyncDisposable & {
  /** The public endpoint: nginx. */
  readonly url: string;
  readonly database: OpenDatabase;
  readonly connectionString: string;
  readonly dataDir: string;
  readonly docusign: DocuSignSimulator;
  readonly cabinet: Cabinet;
  /** DS Admin whose account is linked, a colleague who sends, and somebody elsewhere who sends to the admin. */
  readonly account: Account;
  readonly admin: User;
  readonly colleague: User;
  readonly partner: User;
  readonly linkId: string;
  /** Those that run now, by name; `gone` are those that have ended. */
  readonly programs: Map<string, Program>;
  readonly gone: Program[];
  /** Ends a process and, as Kubernetes does, starts another in its place. */
  replace(name: string, signal: "SIGKILL" | "SIGTERM"): Promise<Program>;
  command(args: readonly string[]): Promise<Outcome>;
  readonly environment: Environment;
  token(): Promise<string>;
  get(path: string): Promise<any>;
};

export const TENANT = "trials";

/** Starts everything and links the account; nothing was concluded before. */
export async function createGround(options: GroundOptions = {}): Promise<Ground> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await createEmptyDatabase(options.adminUrl));
  const { connectionString } = database;
  const names = [
    ...numbered("serve", options.serves ?? 2),
    ...numbered("work", options.works ?? 2),
    ...numbered("all", options.alls ?? 0),
  ];
  const [ingressPort = 0, ...ports] = await findFreePorts(names.length + 1);
  const url = `http://127.0.0.1:${ingressPort}`;
  const docusign = opened.use(
    await startDocuSignSimulator({
      clientId: "trials",
      clientSecret: "trials",
      hmacKeys: HMAC_KEYS,
      validate: false,
    }),
  );
  const page = { clientId: "page", clientSecret: "page", redirectUris: [`${url}/sign-in/callback`] };
  const cabinet = opened.use(await startCabinet(page));
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-ground-"));
  opened.defer(async () => await rm(dataDir, { recursive: true, force: true }));
  const environment = {
    ...environmentOf({ connectionString, url, dataDir, docusign, cabinet }),
    ...options.environment,
  };
  const migrated = await runCommand(["migrate"], environment);
  assert.equal(migrated.status, 0, migrated.output);

  const programs = new Map<string, Program>();
  const gone: Program[] = [];
  opened.defer(async () => await endAll(programs));
  const start = async (name: string): Promise<Program> => {
    const port = String(ports[names.indexOf(name)]);
    const program = await startProgram(name, name.split("-")[0] ?? "", { ...environment, PORT: port });
    programs.set(name, program);
    return program;
  };
  await Promise.all(names.map(start));
  const serves = ports.filter((_port, index) => names[index]?.startsWith("work") === false);
  opened.use(await startIngress(ingressPort, serves));
  const own = openDatabase(connectionString, { applicationName: TRIALS, max: 4 });
  opened.defer(async () => await own.close());

  const account = docusign.addAccount({ name: "株式会社試行" });
  const people = {
    account,
    admin: docusign.addUser(account, { name: "連携 太郎", role: "DS Admin" }),
    colleague: docusign.addUser(account, { name: "営業 花子", role: "DS Sender" }),
    partner: docusign.addUser(docusign.addAccount({ name: "取引先" }), { name: "先方", role: "DS Sender" }),
  };
  const token = async (): Promise<string> =>
    await cabinet.token({ tenant: TENANT, scope: EVERY_SCOPE, sub: randomUUID(), expiresIn: 12 * 3600 });
  const get = async (path: string): Promise<any> => await call({ url, token: await token() }, "GET", path);
  await link({ url, cabinet, docusign, admin: people.admin });
  const linkId: string = (await get("/v1/link")).id;
  await until(async () => (await get("/v1/link")).firstImport?.done !== undefined, "the link is there");
  const kept = opened.move();
  return {
    url,
    database: own,
    connectionString,
    dataDir,
    docusign,
    cabinet,
    ...people,
    linkId,
    programs,
    gone,
    environment,
    token,
    get,
    async replace(name, signal) {
      const program = programs.get(name);
      assert.ok(program, `no ${name}`);
      program.kill(signal);
      await program.ending;
      gone.push(program);
      return await start(name);
    },
    command: async (args) => await runCommand(args, environment),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

function numbered(role: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
}

type Places = {
  connectionString: string;
  url: string;
  dataDir: string;
  docusign: DocuSignSimulator;
  cabinet: Cabinet;
};

function environmentOf({ connectionString, url, dataDir, docusign, cabinet }: Places): Environment {
  return {
    NODE_ENV: "production",
    DATABASE_URL: connectionString,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PUBLIC_URL: url,
    TRUST_PROXY: "1",
    DOCUSIGN_OAUTH_URL: docusign.url,
    DOCUSIGN_CLIENT_ID: "trials",
    DOCUSIGN_CLIENT_SECRET: "trials",
    CONNECT_HMAC_KEYS: HMAC_KEYS.join(","),
    ENCRYPTION_KEYS: `trials:${randomBytes(32).toString("base64")}`,
    CABINET_ISSUER: cabinet.issuer,
    CABINET_CLIENT_ID: "page",
    CABINET_CLIENT_SECRET: "page",
    WORKER_CONCURRENCY: "4",
    SHUTDOWN_TIMEOUT: "10",
  };
}

type Owner = { url: string; cabinet: Cabinet; docusign: DocuSignSimulator; admin: User };

async function link({ url, cabinet, docusign, admin }: Owner): Promise<void> {
  const person = cabinet.addPerson({ sub: "owner", name: "所有者", tenant: TENANT, role: "owner" });
  const token = await cabinet.token({ tenant: TENANT, scope: EVERY_SCOPE, sub: person.sub });
  await call({ url, token }, "PUT", "/v1/groups/group-1", { name: "契約書" });
  const { authorizationUrl } = await call({ url, token }, "POST", "/v1/link", { groupId: "group-1" });
  const outcome = await finishLink({ cabinet, docusign }, createBrowser(), {
    person,
    user: admin,
    authorizationUrl,
  });
  assert.equal(outcome, "linked");
}

type Caller = { readonly url: string; readonly token: string };

async function call({ url, token }: Caller, method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

async function endAll(programs: ReadonlyMap<string, Program>): Promise<void> {
  for (const program of programs.values()) program.kill("SIGTERM");
  const cutOff = setTimeout(() => {
    for (const program of programs.values()) program.kill("SIGKILL");
  }, 20_000);
  await Promise.all([...programs.values()].map(async ({ ending }) => await ending));
  clearTimeout(cutOff);
}

/** All of them are found before any is used, so that they differ. */
async function findFreePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    ports.push(address.port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}
