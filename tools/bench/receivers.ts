import { rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import fastify from "fastify";
import { sql } from "kysely";
import { PgBoss } from "pg-boss";
import { type Logger, pino } from "pino";
import { parseConfig } from "../../src/config.ts";
import { parseConnectMessage } from "../../src/docusign/connect/connect-message.ts";
import { isSignedByAny, signatureHeaders } from "../../src/docusign/connect/signature.ts";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { startService } from "../../src/service.ts";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import type { EventRecorder } from "../../src/store/events/event-recorder.ts";
import type { ConnectEvent } from "../../src/store/events/record-events.ts";
import { createApp } from "../../src/web/app.ts";
import { connectRoutes } from "../../src/web/connect.ts";
import { createMetrics } from "../../src/web/operations/metrics.ts";
import { serveParent } from "./child.ts";
import { KEY } from "./messages.ts";

/** The compared receivers, each in its own process with its own database. */
export type Receiver =
  /** The service itself. */
  | "torikomi"
  /** The same app, with a commit of its own for each event: the row, then its job. */
  | "commit-each"
  /** The same app, which stores nothing. */
  | "no-storage"
  /** Express and the signature check, and nothing else. */
  | "bare-express"
  /** Fastify with the signature check; the row and pg-boss's job in one commit. */
  | "fastify-pg-boss";

type Running = { readonly port: number; close(): Promise<void> };

const QUEUE = "import-envelope";

const [receiver = "", connectionString = ""] = process.argv.slice(2);
const running = await start(receiver);
serveParent({ port: () => running.port }, running.close);

async function start(name: string): Promise<Running> {
  switch (name) {
    case "torikomi":
      return await startTorikomi();
    case "commit-each":
      return await startSameApp(commitEach(open()));
    case "no-storage":
      return await startSameApp({ record: async () => "recorded" });
    case "bare-express":
      return await listen(bareExpress());
    case "fastify-pg-boss":
      return await startFastify(open());
    default:
      throw new Error(`no receiver ${name}`);
  }
}

/** Enough connections for commits side by side; the service itself needs two, as its events share them. */
function open(): OpenDatabase {
  return openDatabase(connectionString, { max: 20 });
}

/** Lines are made and written as in production, to nowhere. */
function createLog(): Logger {
  return pino({ level: "info" }, pino.destination({ dest: "/dev/null", sync: true }));
}

function now(): Date {
  return new Date();
}

async function startTorikomi(): Promise<Running> {
  const dataDir = join(tmpdir(), `torikomi-bench-${process.pid}`);
  const config = parseConfig({
    DATABASE_URL: connectionString,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: "0",
    DOCUSIGN_OAUTH_URL: "http://127.0.0.1:9",
    DOCUSIGN_CLIENT_ID: "bench",
    DOCUSIGN_CLIENT_SECRET: "bench",
    CONNECT_HMAC_KEYS: KEY,
  });
  const service = await startService(config, "serve", { log: createLog(), now });
  return {
    port: service.port,
    close: async () => {
      await service[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function startSameApp(recorder: EventRecorder): Promise<Running> {
  const deps = {
    hmacKeys: [KEY],
    recorder,
    importTiming: "immediate",
    now,
    metrics: createMetrics("bench"),
    receiverMemory: 128 * 1024 * 1024,
    hasLink: async () => true,
  } as const;
  return await listen(
    createApp({ log: createLog(), trustProxy: 0, receivers: [connectRoutes(deps)], routes: [] }),
  );
}

/** As one would write it first: a transaction with the event's row and, where that is new, its job. */
function commitEach({ db }: OpenDatabase): EventRecorder {
  return {
    record: async (event) =>
      await db.transaction().execute(async (tx) => {
        const row = await tx
          .insertInto("connect_event")
          .values(rowOf(event))
          .onConflict((conflict) => conflict.columns(["link_id", "identity"]).doNothing())
          .returning("id")
          .executeTakeFirst();
        if (row === undefined) return "repeat";
        await sql`select graphile_worker.add_job(
          'import-envelope', ${JSON.stringify(payloadOf(event))}::json,
          job_key := ${`import:${event.linkId}:${event.envelopeId}`})`.execute(tx);
        return "recorded";
      }),
  };
}

type Event = Pick<
  ConnectEvent,
  "linkId" | "identity" | "format" | "event" | "envelopeId" | "generatedAt" | "receivedAt" | "body"
>;

function rowOf(event: Event) {
  return {
    link_id: event.linkId,
    identity: event.identity,
    format: event.format,
    event: event.event,
    envelope_id: event.envelopeId,
    generated_at: event.generatedAt,
    received_at: event.receivedAt,
    body: event.body === null ? null : viewOf(event.body),
  };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function payloadOf({ linkId, envelopeId }: Event): object {
  return { linkId, envelopeId, foundBy: "event" };
}

function bareExpress(): RequestListener {
  const app = express();
  app.disable("x-powered-by");
  app.post("/connect/:linkId", express.raw({ type: () => true, limit: "32mb" }), (request, response) => {
    const proven = isSignedByAny([KEY], request.body, signatureHeaders(request.headers));
    response.status(proven ? 200 : 401).json({ result: proven ? "recorded" : "refused" });
  });
  return app;
}

/** Its plain way, without a log: `send` within the row's transaction. */
async function startFastify({ pool, close }: OpenDatabase): Promise<Running> {
  const boss = new PgBoss({ connectionString, max: 5 });
  boss.on("error", (error) => process.stderr.write(`pg-boss: ${error.message}\n`));
  await boss.start();
  await boss.createQueue(QUEUE);
  const app = fastify({ bodyLimit: 32 * 1024 * 1024 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.post<{ Params: { linkId: string }; Body: Buffer }>("/connect/:linkId", async (request, reply) => {
    const { body, headers, params } = request;
    if (!isSignedByAny([KEY], body, signatureHeaders(headers))) return await reply.code(401).send();
    const message = parseConnectMessage(body);
    if (message === null) return await reply.code(400).send();
    const event = { ...message, linkId: readLinkId(params.linkId), receivedAt: now(), body };
    return { result: await storeWithBoss(pool, boss, event) };
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    port: portOf(app.server),
    close: async () => {
      await app.close();
      await boss.stop({ graceful: false });
      await close();
    },
  };
}

async function storeWithBoss(pool: OpenDatabase["pool"], boss: PgBoss, event: Event): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const row = rowOf(event);
    const { rowCount } = await client.query(
      `insert into connect_event (${Object.keys(row).join(", ")}) values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (link_id, identity) do nothing`,
      Object.values(row),
    );
    const executeSql = async (text: string, values?: unknown[]): Promise<{ rows: any[] }> =>
      await client.query(text, values);
    if (rowCount === 1) await boss.send(QUEUE, payloadOf(event), { db: { executeSql } });
    await client.query("commit");
    return rowCount === 1 ? "recorded" : "repeat";
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

async function listen(listener: RequestListener): Promise<Running> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: portOf(server),
    close: async () => {
      const closed = new Promise((resolve) => void server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the receiver listens on no port");
  return address.port;
}

function readLinkId(text: string): LinkId {
  const linkId = parseUuid<LinkId>(text);
  if (linkId === null) throw new Error("no link id");
  return linkId;
}
