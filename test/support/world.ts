import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { type Logger, pino } from "pino";
import { type Config, parseConfig } from "../../src/config.ts";
import { nextFullHour } from "../../src/domain/schedule.ts";
import { logContext } from "../../src/log-context.ts";
import { type Service, startService } from "../../src/service.ts";
import { beginHour } from "../../src/usecases/deletions/begin-hour.ts";
import { assertAnswered } from "../api/described.ts";
import { type Browser, createBrowser } from "./browser.ts";
import { type Cabinet, startCabinet } from "./cabinet/cabinet.ts";
import type { Person } from "./cabinet/people.ts";
import {
  type DocuSignSimulator,
  type SimulatorOptions,
  startDocuSignSimulator,
} from "./docusign/simulator.ts";
import type { User } from "./docusign/state.ts";
import { findFreePort } from "./free-port.ts";
import { createTestDatabase, RETENTION_DAYS, type TestDatabase } from "./postgres.ts";

export type Clock = {
  now: Date;
  /** Moves the clock on, or back. */
  pass(ms: number): void;
};

export type WorldOptions = {
  /** The time of the clock; it moves only when a test moves it. */
  at?: string;
  config?: Partial<Config>;
  docusign?: Partial<SimulatorOptions>;
  /** The path of the public address, such as `/cell-a`; none by default. */
  path?: string;
  /** The world's from now on; a fresh one by default. */
  database?: TestDatabase;
  /** Errors in the log that the test brings about; all others fail it. */
  expectErrors?: boolean;
};

export type Api = {
  get(path: string): Promise<Answer>;
  send(method: string, path: string, body?: object): Promise<Answer>;
};

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: any };

export type World = AsyncDisposable & {
  readonly docusign: DocuSignSimulator;
  readonly cabinet: Cabinet;
  readonly clock: Clock;
  readonly config: Config;
  readonly service: Service;
  readonly database: TestDatabase;
  readonly url: string;
  /** Lines of the log at level `warn` and above. */
  readonly logged: string[];
  /** The API as a tenant's service sees it, with every scope by default. */
  api(tenant?: string, scope?: string): Promise<Api>;
  owner(tenant?: string): Person;
  /** Goes the whole way: group, POST /v1/link with the wish, DocuSign's login, callback. Returns the outcome's code. */
  link(user: User, options?: { tenant?: string; group?: string; wish?: object }): Promise<string>;
  /** Runs all jobs that are due by the clock, and what they queue, until none is. */
  runJobs(): Promise<void>;
  /** Moves the clock to the next full hour, reconciles, and imports what that found. */
  runHour(): Promise<void>;
  /** The tenant's contracts, oldest import first. */
  contracts(tenant?: string): Promise<any[]>;
  /** Ends the service as a deployment does and starts it again on the same database, configured as before but for this. */
  restart(changes?: Partial<Config>): Promise<void>;
};

export const HMAC_KEYS = ["first connect key=", "second connect key="];
/** The subject whose service tokens read all tenants. */
export const SERVICE = "mirror-service";
export const EVERY_SCOPE = "contracts:read contracts:write groups:write links:read links:write";

/** The whole service on a database of its own, facing DocuSign and the cabinet as simulated, under a standing clock. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const clock = createClock(options.at ?? "2031-01-15T03:10:00Z");
  const now = (): Date => new Date(clock.now);
  await using opened = new AsyncDisposableStack();
  const database = opened.use(options.database ?? (await createTestDatabase()));
  const docusign = opened.use(
    await startDocuSignSimulator({
      now,
      hmacKeys: HMAC_KEYS,
      clientId: "torikomi",
      clientSecret: "secret",
      ...options.docusign,
    }),
  );
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}${options.path ?? ""}`;
  const cabinet = opened.use(
    await startCabinet({
      now,
      clientId: "page",
      clientSecret: "page-secret",
      redirectUris: [`${url}/sign-in/callback`],
    }),
  );
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-world-"));
  opened.defer(async () => await rm(dataDir, { recursive: true, force: true }));
  const config = { ...configOf({ database, docusign, cabinet, url, port, dataDir }), ...options.config };
  const logged: string[] = [];
  const log = createLog(logged);
  let service = await startService(config, "serve", { log, now });
  opened.defer(async () => await service[Symbol.asyncDispose]());
  const kept = opened.move();

  const api = async (tenant = "tenant-1", scope = EVERY_SCOPE): Promise<Api> => {
    const token = await cabinet.token({ tenant, scope, sub: `owner of ${tenant}` });
    return createApi(url, token);
  };
  const runJobs = async (): Promise<void> => await runAllJobs(service, now());
  const owner = (tenant = "tenant-1"): Person =>
    cabinet.addPerson({ sub: `owner of ${tenant}`, name: "所有者", tenant, role: "owner" });
  const world: World = {
    docusign,
    cabinet,
    clock,
    config,
    get service() {
      return service;
    },
    database,
    url,
    logged,
    api,
    owner,
    async link(user, { tenant = "tenant-1", group = "group-1", wish = {} } = {}) {
      const person = owner(tenant);
      const caller = await api(tenant);
      assert.equal((await caller.send("PUT", `/v1/groups/${group}`, { name: "契約書" })).status, 200);
      const begun = await caller.send("POST", "/v1/link", { groupId: group, ...wish });
      assert.equal(begun.status, 201, JSON.stringify(begun.body));
      return await finishLink(world, createBrowser(), {
        person,
        user,
        authorizationUrl: begun.body.authorizationUrl,
      });
    },
    runJobs,
    async runHour() {
      clock.now = nextFullHour(clock.now);
      await beginHour(service.foundation.tasks, clock.now);
      await runJobs();
    },
    async contracts(tenant = "tenant-1") {
      const { status, body } = await (await api(tenant)).get("/v1/contracts?limit=200");
      assert.equal(status, 200, JSON.stringify(body));
      return body.items.toReversed();
    },
    async restart(changes) {
      await service[Symbol.asyncDispose]();
      service = await startService({ ...config, ...changes }, "serve", { log, now });
    },
    async [Symbol.asyncDispose]() {
      try {
        await assertNoFailedJobs(service);
        docusign.assertNoProblems();
        if (options.expectErrors !== true) {
          assert.deepEqual(
            logged.filter((line) => JSON.parse(line).level >= 50),
            [],
          );
        }
      } finally {
        await kept.disposeAsync();
      }
    },
  };
  return world;
}

/** Signs the person in on the page, logs in at DocuSign as the user, and returns the code of the outcome. */
export async function finishLink(
  world: Pick<World, "cabinet" | "docusign">,
  browser: Browser,
  { person, user, authorizationUrl }: { person: Person; user: User; authorizationUrl: string },
): Promise<string> {
  const returnAddress = await world.docusign.authorize(authorizationUrl, user);
  world.cabinet.nextSignIn(person);
  const page = await browser.get(returnAddress);
  const outcome = page.trail
    .map((address) => new URL(address).searchParams.get("result"))
    .findLast((code) => code !== null);
  assert.ok(outcome, `the browser ended at ${page.url} (${page.status})`);
  return outcome;
}

function createClock(at: string): Clock {
  const clock = {
    now: new Date(at),
    pass: (ms: number) => {
      clock.now = new Date(clock.now.getTime() + ms);
    },
  };
  return clock;
}

type Runtime = {
  database: TestDatabase;
  docusign: DocuSignSimulator;
  cabinet: Cabinet;
  url: string;
  port: number;
  dataDir: string;
};

function configOf({ database, docusign, cabinet, url, port, dataDir }: Runtime): Config {
  return parseConfig({
    DATABASE_URL: database.connectionString,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: String(port),
    PUBLIC_URL: url,
    DOCUSIGN_OAUTH_URL: docusign.url,
    DOCUSIGN_CLIENT_ID: "torikomi",
    DOCUSIGN_CLIENT_SECRET: "secret",
    CONNECT_HMAC_KEYS: HMAC_KEYS.join(","),
    CABINET_ISSUER: cabinet.issuer,
    CABINET_CLIENT_ID: "page",
    CABINET_CLIENT_SECRET: "page-secret",
    SERVICE_TOKEN_SUBJECTS: SERVICE,
    WORKER_CONCURRENCY: "4",
    SHUTDOWN_TIMEOUT: "5",
    EVENT_RETENTION_DAYS: String(RETENTION_DAYS),
  });
}

function createLog(logged: string[]): Logger {
  return pino({ level: "warn", mixin: logContext }, { write: (line) => logged.push(line) });
}

/** The API of the service at this address, for who holds the token. Version 0.1 lacks fields that are described today. */
export function createApi(url: string, token: string, { isDescribed = true } = {}): Api {
  const send = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const { status, headers } = response;
    const answer = { status, headers, body: isJson ? JSON.parse(text) : text };
    if (isDescribed) assertAnswered({ method, path }, answer);
    return answer;
  };
  return { get: async (path) => await send("GET", path), send };
}

const MOST_PASSES = 200;

/** The queue goes by the database's clock: what is due by ours is made due there. A job that failed runs once. */
async function runAllJobs(service: Service, now: Date): Promise<void> {
  const { db } = service.foundation.working;
  await sql`update graphile_worker._private_jobs set run_at = now() where run_at <= ${now} and locked_at is null`.execute(
    db,
  );
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    await service.runDueJobs();
    const { numAffectedRows } = await sql`
      update graphile_worker._private_jobs set run_at = now()
      where run_at <= ${now} and last_error is null and locked_at is null`.execute(db);
    if (numAffectedRows === 0n) return;
  }
  throw new Error(`jobs queue one another without end: ${JSON.stringify(await listJobs(service))}`);
}

async function listJobs(service: Service): Promise<unknown[]> {
  const { rows } =
    await sql`select task_identifier, key, run_at, attempts, last_error from graphile_worker.jobs`.execute(
      service.foundation.working.db,
    );
  return rows;
}

async function assertNoFailedJobs(service: Service): Promise<void> {
  const { rows } =
    await sql`select task_identifier, last_error from graphile_worker.jobs where last_error is not null`.execute(
      service.foundation.working.db,
    );
  assert.deepEqual(rows, []);
}
