import type { RequestHandler } from "express";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type Figures, readFigures } from "../../store/upkeep/figures.ts";
import type { Log, Metrics, Uses } from "../../usecases/capabilities.ts";
import { createGauges, type PoolFigures } from "./gauges.ts";

/** What this process counts, and where Prometheus reads it. */
export type ServedMetrics = Metrics & { readonly registry: Registry };

/** Metrics of one process, its memory, event loop and garbage collection included. */
export function createMetrics(version: string): ServedMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  showBuild(registry, version);
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `torikomi_${name}_total`, help, labelNames, registers: [registry] });
  const events = counter("events", "Connect messages by how they were answered", ["outcome"]);
  const imports = counter("imports", "Attempts to import an envelope by outcome", ["outcome"]);
  const reconciliations = counter("reconciliations", "Reconciliations that ended, first imports left out");
  const missed = counter("envelopes_missed_by_events", "Envelopes that only a reconciliation found");
  const calls = counter("docusign_calls", "HTTP calls to DocuSign's API");
  const rescued = counter("workers_rescued", "Dead worker pools whose jobs were given back");
  return {
    registry,
    eventReceived: (outcome) => events.inc({ outcome }),
    importEnded: (outcome) => imports.inc({ outcome }),
    missed: (envelopes) => {
      reconciliations.inc();
      missed.inc(envelopes);
    },
    docusignCall: () => calls.inc(),
    workersRescued: (pools) => rescued.inc(pools),
  };
}

function showBuild(registry: Registry, version: string): void {
  const build = new Gauge({
    name: "torikomi_build_info",
    help: "Always 1; the label is the version of the program",
    labelNames: ["version"],
    registers: [registry],
  });
  build.set({ version }, 1);
}

type Deps = Uses<"db" | "now"> & {
  readonly log: Pick<Log, "warn">;
  /** Connection pools by name. */
  readonly pools: Readonly<Record<string, PoolFigures>>;
};

/**
 * `GET /metrics` for Prometheus: what the process counted, and the state of queue, links, ledger and budgets as the
 * database tells it. Without the database there are still the counters, and `torikomi_database_up` is 0.
 */
export function metricsRoute({ registry }: Pick<ServedMetrics, "registry">, deps: Deps): RequestHandler {
  const gauges = createGauges(registry);
  const read = spared(async () => await readFigures(deps.db, deps.now()));
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

/** However many ask, the database spends a tenth of the time on figures at most: answers are shared for a while. */
const SHARE_OF_TIME = 10;

function spared(read: () => Promise<Figures>): () => Promise<Figures> {
  let answer: Promise<Figures> | null = null;
  let goodUntil = 0;
  return async () => {
    if (answer !== null && performance.now() < goodUntil) return await answer;
    const startedAt = performance.now();
    goodUntil = Number.POSITIVE_INFINITY;
    answer = read().finally(() => {
      const endedAt = performance.now();
      goodUntil = endedAt + (endedAt - startedAt) * SHARE_OF_TIME;
    });
    return await answer;
  };
}

/** Requests by what they are for; the borders are the times that the alerts speak of. */
const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100];

/** Measures every request: how long until it was answered, by area of the service and status. */
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
    // A sender that hangs up gets no answer: 499, as ingresses call it.
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

/** One of few: a label must not grow with what strangers ask for. */
function areaOf(path: string): string {
  return AREAS.get(path.split("/", 2)[1] ?? "") ?? "other";
}
