import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express from "express";
import { sql } from "kysely";
import pino from "pino";
import { openDatabase } from "../../../src/store/database.ts";
import {
  createMetrics,
  metricsRoute,
  requestTimer,
  type ServedMetrics,
} from "../../../src/web/operations/metrics.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const NOW = new Date("2026-07-01T09:00:00Z");

test("counters are exposed under the names that alerts and the dashboard use", async () => {
  await using world = await createWorld();
  world.metrics.eventReceived("recorded");
  world.metrics.eventReceived("recorded");
  world.metrics.eventReceived("unauthorized");
  world.metrics.importEnded("imported");
  world.metrics.docusignCall();
  world.metrics.missed(3);
  world.metrics.workersRescued(1);

  const lines = await world.scrape();

  assert.equal(lines.get('torikomi_events_total{outcome="recorded"}'), "2");
  assert.equal(lines.get('torikomi_events_total{outcome="unauthorized"}'), "1");
  assert.equal(lines.get('torikomi_imports_total{outcome="imported"}'), "1");
  assert.equal(lines.get("torikomi_docusign_calls_total"), "1");
  assert.equal(lines.get("torikomi_reconciliations_total"), "1");
  assert.equal(lines.get("torikomi_envelopes_missed_by_events_total"), "3");
  assert.equal(lines.get("torikomi_workers_rescued_total"), "1");
  assert.equal(lines.get('torikomi_build_info{version="1.2.3"}'), "1");
  assert.ok(lines.has("process_resident_memory_bytes"));
});

test("queue and connection gauges show the state at the time of the scrape", async () => {
  await using world = await createWorld();
  await sql`select graphile_worker.add_job('import-envelope', run_at := ${new Date(NOW.getTime() - 90_000)}::timestamptz)`.execute(
    world.db,
  );

  const lines = await world.scrape();

  assert.equal(lines.get("torikomi_queue_depth"), "1");
  assert.equal(lines.get("torikomi_queue_age_seconds"), "90");
  assert.equal(lines.get('torikomi_queue_jobs{task="import-envelope",state="due"}'), "1");
  assert.equal(lines.get('torikomi_queue_oldest_due_seconds{task="import-envelope"}'), "90");
  assert.equal(lines.get('torikomi_links{state="active"}'), "0");
  assert.equal(lines.get("torikomi_missed_by_events_ratio"), "0");
  assert.equal(lines.get('torikomi_database_connections{pool="serving",state="waiting"}'), "0");
  assert.equal(lines.get("torikomi_database_up"), "1");
});

test("without the database, counters are still exposed, but no outdated gauges", async () => {
  await using world = await createWorld();
  world.metrics.eventReceived("unavailable");
  await world.scrape();
  await world.loseDatabase();

  const lines = await untilDown(world.scrape);

  assert.equal(lines.get("torikomi_database_up"), "0");
  assert.equal(lines.get('torikomi_events_total{outcome="unavailable"}'), "1");
  assert.equal(lines.has("torikomi_queue_depth"), false);
  assert.equal(lines.has('torikomi_links{state="active"}'), false);
});

test("requests are measured by area and status, never by their path", async () => {
  await using world = await createWorld();

  await world.get("/links/0f8fad5b?secret=1");
  await world.get("/no/such/0f8fad5b");
  const text = [...(await world.scrape()).keys()].join("\n");

  assert.match(text, /torikomi_http_request_duration_seconds_count\{area="page",status="200"\}/);
  assert.match(text, /torikomi_http_request_duration_seconds_count\{area="other",status="404"\}/);
  assert.doesNotMatch(text, /0f8fad5b|secret/);
});

test("two services in one process count separately", () => {
  const one = createMetrics("1.2.3");
  const other = createMetrics("1.2.3");

  assert.notEqual(one.registry, other.registry);
});

async function createWorld() {
  const database = await createTestDatabase();
  const { db, pool, close } = openDatabase(database.connectionString);
  const metrics = createMetrics("1.2.3");
  const server = createServer(
    appWith(
      metrics,
      metricsRoute(metrics, { db, log: pino({ level: "silent" }), now: () => NOW, pools: { serving: pool } }),
    ),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  const get = async (path: string) => await fetch(`http://127.0.0.1:${port}${path}`);
  return {
    db,
    metrics,
    get,
    loseDatabase: close,
    scrape: async () => readLines(await (await get("/metrics")).text()),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await close();
      await database[Symbol.asyncDispose]();
    },
  };
}

function appWith(metrics: ServedMetrics, route: express.RequestHandler): express.Express {
  const app = express();
  app.use(requestTimer(metrics));
  app.get("/metrics", route);
  app.get("/links/:id", (_request, response) => void response.send("a page"));
  return app;
}

/** Parses metrics into a map from name with labels to value, as Prometheus would. */
function readLines(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), line.slice(line.lastIndexOf(" ") + 1)]),
  );
}

/** A response is cached briefly, so the loss may show only in a later scrape. */
async function untilDown(scrape: () => Promise<Map<string, string>>): Promise<Map<string, string>> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const lines = await scrape();
    if (lines.get("torikomi_database_up") === "0") return lines;
  }
  throw new Error("the metrics do not show the loss of the database");
}
