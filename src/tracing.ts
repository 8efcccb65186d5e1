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
  /** Sends what is left, which lasts as long as who collects it does. */
  stop(): Promise<void>;
};

/**
 * Traces requests, jobs, and what both ask of PostgreSQL, DocuSign and others, as OpenTelemetry's standard variables
 * say. Spans hold no query strings, headers, bodies, values of SQL, nor who asked from where. To be called before
 * the first server, connection or call; loading this file takes a while, so only where traces are wanted.
 */
export function startTracing({ serviceName }: { serviceName: string }, log: Pick<Logger, "warn">): Tracing {
  const sdk = new NodeSDK({
    serviceName,
    instrumentations: createInstrumentations(),
    textMapPropagator: takeUpOnly,
    // Figures are Prometheus' and logs are pino's.
    metricReaders: [],
    logRecordProcessors: [],
  });
  tellProblems(log);
  sdk.start();
  patchLoaded();
  return { stop: async () => await sdk.shutdown() };
}

/**
 * Callers' traces go on in ours, by W3C's `traceparent`. Ours are told to nobody: whom we call are DocuSign and other
 * strangers.
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

/** Left out: what is asked of the operations addresses, and whatever is part of no request or job, such as polling. */
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

/** Codes, states and e-mail addresses travel in queries. */
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
 * The instrumentations patch what is required from now on. What we import is the same object as what is required here,
 * so this reaches both, and needs none of Node's loader hooks.
 */
function patchLoaded(): void {
  const require = createRequire(import.meta.url);
  for (const library of ["node:http", "node:https", "express", "pg"]) require(library);
  syncBuiltinESMExports();
}

const LONGEST_DETAIL = 500;

/** Such as that nobody takes the spans. */
function tellProblems(log: Pick<Logger, "warn">): void {
  const tell = (message: string): void =>
    log.warn({ detail: message.slice(0, LONGEST_DETAIL) }, "OpenTelemetry has a problem");
  const silence = (): void => {};
  const logger = { error: tell, warn: tell, info: silence, debug: silence, verbose: silence };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
