import { createRequire, syncBuiltinESMExports } from "node:module";
import {
  type Attributes,
  DiagLogLevel,
  diag,
  type TextMapPropagator,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { ExpressInstrumentation, ExpressLayerType } from "@opentelemetry/instrumentation-express";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Logger } from "pino";

export type Tracing = {
  /** Sends the remaining spans; takes as long as the collector does. */
  stop(): Promise<void>;
};

/**
 * Traces requests and jobs and their calls to PostgreSQL, DocuSign and others, as OpenTelemetry's standard variables
 * configure. Spans contain no query strings, headers, bodies, SQL values or client addresses. Call it before the first
 * server, connection or call. This file is slow to load, so load it only for tracing.
 */
export function startTracing({ serviceName }: { serviceName: string }, log: Pick<Logger, "warn">): Tracing {
  const sdk = new NodeSDK({
    serviceName,
    instrumentations: createInstrumentations(),
    textMapPropagator: takeUpOnly,
    // Prometheus collects metrics and pino writes logs.
    metricReaders: [],
    logRecordProcessors: [],
  });
  tellProblems(log);
  sdk.start();
  patchLoaded();
  return { stop: async () => await sdk.shutdown() };
}

/**
 * Continues callers' traces (W3C `traceparent`). Does not propagate ours, since we call DocuSign and other third parties.
 */
const takeUpOnly: TextMapPropagator = {
  fields: () => [],
  inject: () => {},
  extract: (context, carrier, getter) => {
    const [, traceId, spanId, flags] = TRACE_PARENT.exec(String(getter.get(carrier, "traceparent"))) ?? [];
    if (traceId === undefined || spanId === undefined || flags === undefined) return context;
    const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
    return trace.setSpanContext(context, { traceId, spanId, traceFlags, isRemote: true });
  },
};

const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

type Options = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>;
type Instrumentations = NonNullable<Options["instrumentations"]>;

/** Not traced: operations endpoints, and work outside requests and jobs, such as polling. */
function createInstrumentations(): Instrumentations {
  return [
    new HttpInstrumentation({
      ignoreIncomingRequestHook: ({ url }) => OPERATIONS.test(url ?? ""),
      requireParentforOutgoingSpans: true,
      startIncomingSpanHook: () => UNTOLD,
      startOutgoingSpanHook: ({ protocol, hostname, port, path }) => ({
        ...UNTOLD,
        "url.full": withoutQuery(
          `${protocol ?? "http:"}//${hostname}${port == null ? "" : `:${port}`}${path}`,
        ),
      }),
    }),
    new UndiciInstrumentation({
      requireParentforSpans: true,
      startSpanHook: ({ origin, path }) => ({ ...UNTOLD, "url.full": withoutQuery(`${origin}${path}`) }),
    }),
    new ExpressInstrumentation({ ignoreLayersType: [ExpressLayerType.MIDDLEWARE, ExpressLayerType.ROUTER] }),
    new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
  ];
}

const OPERATIONS = /^\/(healthz|readyz|metrics)([?/]|$)/;

/** Query strings contain codes, states and e-mail addresses. */
const UNTOLD: Attributes = {
  "url.query": undefined,
  "client.address": undefined,
  "network.peer.address": undefined,
  "network.peer.port": undefined,
  "user_agent.original": undefined,
};

function withoutQuery(address: string): string {
  return address.split("?", 1)[0] ?? "";
}

/**
 * The instrumentations patch modules that are required from now on. A required module is the same object as the imported
 * one, so this patches both, without Node's loader hooks.
 */
function patchLoaded(): void {
  const require = createRequire(import.meta.url);
  for (const library of ["node:http", "node:https", "express", "pg"]) require(library);
  syncBuiltinESMExports();
}

const LONGEST_DETAIL = 500;

/** For example, that the collector does not answer. */
function tellProblems(log: Pick<Logger, "warn">): void {
  const tell = (message: string): void =>
    log.warn({ detail: message.slice(0, LONGEST_DETAIL) }, "OpenTelemetry reported a problem");
  const silence = (): void => {};
  const logger = { error: tell, warn: tell, info: silence, debug: silence, verbose: silence };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
