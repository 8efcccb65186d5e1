import type { RequestHandler } from "express";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { readFigures } from "../../store/upkeep/figures.ts";
import type { Log, Metrics, Uses } from "../../usecases/capabilities.ts";
import { createGauges, type PoolFigures } from "./gauges.ts";
import { shared } from "./shared.ts";

/** The counters of this process and their registry. */
export type ServedMetrics = Metrics & {
  readonly registry: Registry;
  /** The process has started a role: HTTP or workers. */
  roleStarted(role: "serve" | "work"): void;
};

/** Creates the metrics of one process, including memory, event loop and garbage collection. */
export function createMetrics(version: string): ServedMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: readonly string[]) =>
    new Gauge({ name: `torikomi_${name}`, help, labelNames, registers: [registry] });
  gauge("build_info", "Always 1; the label is the version of the program", ["version"]).set({ version }, 1);
  const roles = gauge("role", "1 for each role that this process runs", ["role"]);
  return { registry, ...createCounters(registry), roleStarted: (role) => roles.set({ role }, 1) };
}

function createCounters(registry: Registry): Metrics {
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `torikomi_${name}_total`, help, labelNames, registers: [registry] });
  const events = counter("events", "Connect messages by outcome", ["outcome"]);
  const imports = counter("imports", "Attempts to import an envelope, by outcome", ["outcome"]);
  const reconciliations = counter("reconciliations", "Completed reconciliations, except first imports");
  const missed = counter("envelopes_missed_by_events", "Envelopes found only by a reconciliation");
  const calls = counter("docusign_calls", "HTTP calls to DocuSign's API");
  const orphansKept = counter(
    "orphan_cleanups_refused",
    "Clean-ups of the document store that erased nothing, because too many documents belong to no contract",
  );
  const repeatedReads = counter(
    "feed_repeated_reads",
    "Reads of the change feed that brought a client the same entries for at least the fifth time in a row",
  );
  const rescued = counter("workers_rescued", "Dead worker pools whose jobs were released");
  return {
    eventReceived: (outcome) => events.inc({ outcome }),
    importEnded: (outcome) => imports.inc({ outcome }),
    missed: (envelopes) => {
      reconciliations.inc();
      missed.inc(envelopes);
    },
    docusignCall: () => calls.inc(),
    workersRescued: (pools) => rescued.inc(pools),
    orphansKept: () => orphansKept.inc(),
    feedReadRepeated: () => repeatedReads.inc(),
  };
}

type Deps = Uses<"db" | "now"> & {
  readonly log: Pick<Log, "warn">;
  /** Connection pools by name. */
  readonly pools: Readonly<Record<string, PoolFigures>>;
};

/**
 * `GET /metrics` for Prometheus: the counters of this process, and the state of queue, links, ledger and budgets from
 * the database. Without the database, the counters are still served and `torikomi_database_up` is 0.
 */
export function metricsRoute({ registry }: Pick<ServedMetrics, "registry">, deps: Deps): RequestHandler {
  const gauges = createGauges(registry);
  const read = shared(async () => await readFigures(deps.db, deps.now()));
  return async (_request, response) => {
    gauges.showPools(deps.pools);
    gauges.show(await read().catch((error: unknown) => unreadable(deps, error)));
    response.set("Cache-Control", "no-store").type(registry.contentType);
    response.send(await registry.metrics());
  };
}

function unreadable({ log }: Pick<Deps, "log">, error: unknown): null {
  log.warn({ err: error }, "the figures for /metrics could not be read");
  return null;
}

/** Bucket limits in seconds. They include the thresholds of the alerts. */
const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100];

/** Measures the duration of every request, by area of the service and status. */
export function requestTimer({ registry }: Pick<ServedMetrics, "registry">): RequestHandler {
  const durations = new Histogram({
    name: "torikomi_http_request_duration_seconds",
    help: "Time until a request was answered, by area and status",
    labelNames: ["area", "status"],
    buckets: SECONDS,
    registers: [registry],
  });
  return (request, response, next) => {
    const end = durations.startTimer({ area: areaOf(request.path) });
    // 499, as in nginx: the client closed the connection before the answer was complete.
    response.once("close", () => end({ status: response.writableFinished ? response.statusCode : 499 }));
    next();
  };
}

const AREAS: ReadonlyMap<string, string> = new Map([
  ["connect", "connect"],
  ["v1", "api"],
  ["links", "page"],
  ["openapi.json", "api"],
  ["sign-in", "page"],
  ["sign-out", "page"],
  ["healthz", "operations"],
  ["readyz", "operations"],
  ["metrics", "operations"],
]);

/** Maps to a fixed set: a label must not grow with the paths that strangers request. */
function areaOf(path: string): string {
  return AREAS.get(path.split("/", 2)[1] ?? "") ?? "other";
}
