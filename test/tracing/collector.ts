import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** OpenTelemetry's span kind: 2 server, 3 client, 5 consumer. */
  readonly kind: number;
  /** The instrumentation that created it. */
  readonly by: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
};

export type Collector = AsyncDisposable & {
  readonly url: string;
  readonly spans: readonly Span[];
  /** Everything that was sent, unchanged. */
  readonly sent: readonly string[];
};

/** Receives spans as OTLP over HTTP in JSON. With `isSilent` it never answers. */
export async function startCollector({ isSilent = false } = {}): Promise<Collector> {
  const spans: Span[] = [];
  const sent: string[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    sent.push(body);
    spans.push(...readSpans(JSON.parse(body)));
    if (!isSilent) response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    sent,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function readSpans({ resourceSpans }: any): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }: any) =>
    scopeSpans.flatMap(({ scope, spans }: any) =>
      spans.map((span: any) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || null,
        name: span.name,
        kind: span.kind,
        by: scope.name.replace("@opentelemetry/instrumentation-", ""),
        service: readAttributes(resource.attributes)["service.name"],
        attributes: readAttributes(span.attributes),
        failed: span.status?.code === 2,
      })),
    ),
  );
}

function readAttributes(attributes: any[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
