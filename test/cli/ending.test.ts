import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, type ClientRequest, IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { sql } from "kysely";
import { minimalEvent, sign } from "../support/connect.ts";
import type { Call } from "../support/docusign/exchange.ts";
import { type Companies, CUSTOMER, createLinkedCompanies, fateOf } from "../support/linked-world.ts";
import { createWorld, EVERY_SCOPE, HMAC_KEYS, type World } from "../support/world.ts";
import { environmentOf, startProgram } from "./commands.ts";

const SHUTDOWN_SECONDS = 2;

test("on SIGTERM no connection is accepted any more, and work that does not end in time is released to others", async () => {
  await using companies = await createLinkedCompanies({ at: new Date().toISOString(), expectErrors: true });
  const { world } = companies;
  const { child, port, envelope } = await startDownload(companies, {
    SHUTDOWN_TIMEOUT: String(SHUTDOWN_SECONDS),
  });

  const begun = performance.now();
  child.kill("SIGTERM");
  await refuses(port);
  const refusedAfter = performance.now() - begun;
  const [exit] = await once(child, "close");

  assert.equal(exit, 0);
  assert.ok(refusedAfter < 1_000, `${refusedAfter} ms`);
  assert.ok(performance.now() - begun < (SHUTDOWN_SECONDS + 2) * 1_000);
  assert.equal(await fateOf(world, envelope), "waiting queued");
  assert.deepEqual(await listImportJobs(world), ["import-backlog free due"]);
});

test("a second signal ends the process without waiting for running work", async () => {
  await using companies = await createLinkedCompanies({ at: new Date().toISOString(), expectErrors: true });
  const { child } = await startDownload(companies, { SHUTDOWN_TIMEOUT: "25" });
  const closed = once(child, "close");

  const begun = performance.now();
  const pressing = setInterval(() => child.kill("SIGINT"), 300);
  const [exit] = await closed;
  clearInterval(pressing);

  const took = performance.now() - begun;
  assert.equal(exit, 1);
  assert.ok(took < 10_000, `${took} ms`);
});

test("repeated SIGTERM until the process exits still ends it in order", async () => {
  await using companies = await createLinkedCompanies({ at: new Date().toISOString(), expectErrors: true });
  const { world } = companies;
  const { child, envelope } = await startDownload(companies, { SHUTDOWN_TIMEOUT: String(SHUTDOWN_SECONDS) });
  const closed = once(child, "close");

  const repeating = setInterval(() => child.kill("SIGTERM"), 1);
  const [exit] = await closed;
  clearInterval(repeating);

  assert.equal(exit, 0);
  assert.equal(await fateOf(world, envelope), "waiting queued");
});

test("on SIGTERM a reader waiting for changes and an incoming event are answered, and their connections closed", async () => {
  await using world = await createWorld();
  const child = startProgram(["serve"], {
    ...environmentOf(world),
    HOST: "127.0.0.1",
    PORT: "0",
    SHUTDOWN_TIMEOUT: "25",
  });
  const closed = once(child, "close");
  const port = await portOf(child.stdout);
  await using agent = keptAlive(port);
  const reader = agent.ask("GET", "/v1/changes?wait=30", {
    Authorization: `Bearer ${await world.cabinet.token({ tenant: "tenant-1", scope: EVERY_SCOPE })}`,
  });
  reader.asked.end();
  const body = minimalEvent();
  const event = agent.ask("POST", `/connect/${randomUUID()}`, {
    "Content-Type": "application/json",
    "Content-Length": String(body.length),
    "X-DocuSign-Signature-1": sign(body, HMAC_KEYS[0] ?? ""),
  });
  event.asked.write(body.slice(0, 10));
  await agent.end("GET", "/healthz");

  const begun = performance.now();
  child.kill("SIGTERM");
  await refuses(port);
  event.asked.end(body.slice(10));
  const answers = await Promise.all([reader.answer, event.answer]);
  const [exit] = await closed;

  const took = performance.now() - begun;
  assert.deepEqual(answers, [
    { status: 200, connection: "close" },
    { status: 410, connection: "close" },
  ]);
  assert.equal(exit, 0);
  assert.ok(took < 10_000, `${took} ms`);
});

type Answer = { readonly status: number | undefined; readonly connection: string | undefined };

type KeptAlive = AsyncDisposable & {
  /** Starts a request. */
  ask(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
  ): { readonly asked: ClientRequest; readonly answer: Promise<Answer> };
  /** Completes a request. */
  end(method: string, path: string): Promise<void>;
};

/** A client that keeps its connections alive for later requests. */
function keptAlive(port: number): KeptAlive {
  const agent = new Agent({ keepAlive: true });
  const ask: KeptAlive["ask"] = (method, path, headers = {}) => {
    const asked = request({ agent, port, host: "127.0.0.1", method, path, headers });
    asked.flushHeaders();
    return { asked, answer: answerTo(asked) };
  };
  return {
    ask,
    async end(method, path) {
      const { asked, answer } = ask(method, path);
      asked.end();
      assert.equal((await answer).status, 200);
    },
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

async function answerTo(asked: ClientRequest): Promise<Answer> {
  const [answer] = await once(asked, "response");
  assert.ok(answer instanceof IncomingMessage);
  await text(answer);
  return { status: answer.statusCode, connection: answer.headers.connection };
}

/** Starts the program with a running import that does not end by itself. */
async function startDownload({ world, colleague }: Companies, environment: Readonly<Record<string, string>>) {
  const isDownload = ({ template }: Pick<Call, "template">): boolean => template.includes("/documents/");
  const downloading = Promise.withResolvers<void>();
  world.docusign.onNext(isDownload, downloading.resolve);
  world.docusign.hangNext(isDownload);
  const child = startProgram(["all"], {
    ...environmentOf(world),
    HOST: "127.0.0.1",
    PORT: "0",
    ...environment,
  });
  const port = await portOf(child.stdout);
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await downloading.promise;
  return { child, port, envelope };
}

/** Reads the port from the line that says the program is running; later lines are read and ignored. */
async function portOf(output: Readable): Promise<number> {
  const running = Promise.withResolvers<number>();
  const lines = createInterface({ input: output });
  lines.on("close", () => running.reject(new Error("the program ended before it was running")));
  lines.on("line", (line) => {
    const { msg, port } = JSON.parse(line);
    if (msg === "torikomi is running") running.resolve(port);
  });
  return await running.promise;
}

async function refuses(port: number): Promise<void> {
  const connects = async (): Promise<boolean> => {
    const socket = connect({ port, host: "127.0.0.1" });
    return await once(socket, "connect").then(
      () => socket.destroy() !== null,
      () => false,
    );
  };
  while (await connects());
}

async function listImportJobs({ service }: World): Promise<string[]> {
  const { rows } = await sql<{ job: string }>`
    select task_identifier || case when locked_at is null then ' free' else ' locked' end
      || case when run_at <= now() then ' due' else ' later' end as job
    from graphile_worker.jobs where task_identifier like 'import-%'`.execute(service.foundation.working.db);
  return rows.map(({ job }) => job);
}
