import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, describe, test } from "node:test";
import { type Config, parseConfig } from "../../src/config.ts";
import { createGround, type Ground } from "../support/trials/ground.ts";
import { missingPrograms } from "../support/trials/ingress.ts";
import { runCommand } from "../support/trials/program.ts";
import { until } from "../support/waiting.ts";
import { HMAC_KEYS } from "../support/world.ts";
import { type Collector, type Span, startCollector } from "./collector.ts";

const missing = missingPrograms();
const skip = missing.length > 0 && `not installed: ${missing.join(", ")}`;

describe("a `torikomi all` that was linked, imported what an event told of, and ended", { skip }, () => {
  let traced: Traced;
  before(async () => {
    traced = await runTraced();
  });
  after(async () => await traced[Symbol.asyncDispose]());

  test("contains the event's request and its statements", () => {
    const { spans } = traced.collector;

    const request = spans.find(({ name }) => name === "POST /connect/:linkId");

    assert.ok(request);
    assert.equal(request.kind, 2);
    assert.equal(request.service, "torikomi");
    assert.equal(request.attributes["http.response.status_code"], 200);
    assert.equal(request.attributes["url.path"], `/connect/${traced.ground.linkId}`);
    const parts = within(spans, request);
    assert.ok(parts.some(({ by, attributes }) => by === "pg" && /connect_event/.test(text(attributes))));
  });

  test("contains the job, its statements and its calls to DocuSign", () => {
    const { spans } = traced.collector;
    const { ground, envelopeId } = traced;

    const ofEnvelope = spans.filter(({ attributes }) => attributes["torikomi.envelope_id"] === envelopeId);
    const job = one(ofEnvelope, ({ name }) => name === "import-envelope");

    assert.equal(job.kind, 5);
    assert.equal(job.parentSpanId, null);
    assert.equal(job.attributes["torikomi.link_id"], ground.linkId);
    const parts = within(spans, job);
    assert.ok(parts.some(({ by, attributes }) => by === "pg" && /"?contract"?/.test(text(attributes))));
    const called = parts.map(({ by, attributes }) => `${by} ${String(attributes["url.full"])}`);
    const envelope = `${ground.docusign.url}/restapi/v2.1/accounts/${ground.account.accountId}/envelopes/${envelopeId}`;
    assert.ok(called.includes(`http ${envelope}`), called.join("\n"));
    assert.ok(called.includes(`undici ${envelope}/documents/1`), called.join("\n"));
  });

  test("contains no secret, query string or e-mail address", () => {
    const { collector, ground, token } = traced;
    const all = collector.sent.join("\n");
    const password = new URL(ground.connectionString).password;

    for (const secret of [...HMAC_KEYS, ground.environment["ENCRYPTION_KEYS"] ?? "", token, password])
      assert.ok(secret.length > 0 && !all.includes(secret), "a secret is in a span");
    assert.doesNotMatch(all, /authorization|signature|bearer|cookie/i);
    assert.doesNotMatch(all, /[\w.+-]+@[\w-]+\.\w+/);
    assert.doesNotMatch(all, /契約/);
    const paths = collector.spans.map(({ attributes }) => attributes["url.path"]);
    assert.ok(
      paths.includes("/links/docusign/callback"),
      "the callback, with its code and state, is not there",
    );
    for (const { attributes } of collector.spans) {
      assert.ok(!("url.query" in attributes) && !("client.address" in attributes), text(attributes));
      assert.doesNotMatch(String(attributes["url.full"]), /\?/);
      assert.ok(!("db.postgresql.values" in attributes));
    }
  });

  test("is sent to the collector only", () => {
    const told = traced.heard.filter((headers) => "traceparent" in headers || "baggage" in headers);

    assert.ok(traced.heard.length > 0);
    assert.deepEqual(told, []);
  });

  test("continues a caller's trace", () => {
    const span = one(traced.collector.spans, ({ traceId, kind }) => traceId === CALLER.traceId && kind === 2);

    assert.equal(span.parentSpanId, CALLER.spanId);
    assert.equal(span.attributes["http.response.status_code"], 401);
  });

  test("contains a failed call to DocuSign, and nothing outside requests and jobs", () => {
    const { spans } = traced.collector;

    const failed = spans.filter((span) => span.failed && span.kind === 3);

    assert.deepEqual(
      failed.map(({ attributes }) => attributes["http.response.status_code"]).map(Number),
      [500],
    );
    assert.deepEqual(
      spans.filter(({ kind, parentSpanId }) => kind === 3 && parentSpanId === null),
      [],
    );
    assert.ok(!spans.some(({ attributes }) => attributes["url.path"] === "/healthz"));
  });
});

const CALLER = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

test("a collector that never answers does not keep the process from ending", {
  skip,
  timeout: 120_000,
}, async () => {
  await using collector = await startCollector({ isSilent: true });
  const environment = { OTEL_EXPORTER_OTLP_TIMEOUT: "600000", OTEL_BSP_EXPORT_TIMEOUT: "600000" };
  await using ground = await createTracedGround(collector, environment);

  await end(ground);

  assert.ok(collector.sent.length > 0);
});

/** Prints the OpenTelemetry modules that are loaded, except its API, which prom-client loads. */
const TELLS_WHAT_IS_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({ load(url, context, next) {
    if (/@opentelemetry.(?!api.)/.test(url)) process.stderr.write(url + "\\n");
    return next(url, context);
  } });`)}`;

test("OpenTelemetry is not loaded without its variables", { skip }, async () => {
  // Port 1 has no listener: the program starts, finds no database and ends.
  const database = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing", ENCRYPTION_KEYS: KEY };
  const environment = { ...NEEDED, ...database, NODE_OPTIONS: `--import ${TELLS_WHAT_IS_LOADED}` };

  const plain = await runCommand(["all"], environment);
  const traced = await runCommand(["all"], { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT });

  assert.equal(plain.status, 1);
  assert.doesNotMatch(plain.output, /@opentelemetry/);
  assert.equal(traced.status, 1);
  assert.match(traced.output, /@opentelemetry.sdk-node/);
});

const NEEDED = { DOCUSIGN_CLIENT_ID: "x", DOCUSIGN_CLIENT_SECRET: "x", CONNECT_HMAC_KEYS: "x" };
const ENDPOINT = "http://127.0.0.1:4318";

for (const [environment, expected] of [
  [{}, null],
  [{ OTEL_SERVICE_NAME: "x" }, null],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }, "torikomi"],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ENDPOINT, OTEL_SERVICE_NAME: "x" }, "x"],
  [{ OTEL_TRACES_EXPORTER: "console" }, "torikomi"],
  [{ OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }, null],
  [{ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }, null],
  [{ OTEL_SDK_DISABLED: "false", OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }, "torikomi"],
] satisfies [Record<string, string>, string | null][]) {
  test(`${JSON.stringify(environment)} is traced as ${expected ?? "nobody"}`, () => {
    const config: Config = parseConfig({ ...NEEDED, ENCRYPTION_KEYS: KEY, ...environment });

    assert.deepEqual(config.tracing, expected === null ? null : { serviceName: expected });
  });
}

test("an invalid address for spans is reported at the start", () => {
  assert.throws(
    () => parseConfig({ ...NEEDED, ENCRYPTION_KEYS: KEY, OTEL_EXPORTER_OTLP_ENDPOINT: "collector" }),
    /OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https address/,
  );
});

const KEY = `x:${Buffer.alloc(32).toString("base64")}`;

type Traced = AsyncDisposable & {
  readonly ground: Ground;
  readonly collector: Collector;
  readonly envelopeId: string;
  /** A token used with the API. */
  readonly token: string;
  /** Headers of all requests to DocuSign, the cabinet and the collector. */
  readonly heard: readonly IncomingHttpHeaders[];
};

async function runTraced(): Promise<Traced> {
  await using opened = new AsyncDisposableStack();
  const heard: IncomingHttpHeaders[] = [];
  const listen = (message: any): void => void heard.push(message.request.headers);
  subscribe("http.server.request.start", listen);
  opened.defer(() => void unsubscribe("http.server.request.start", listen));
  const collector = opened.use(await startCollector());
  const ground = opened.use(await createTracedGround(collector));
  const { docusign, colleague } = ground;
  const { envelopeId } = await docusign.concludeEnvelope({ from: colleague, subject: "契約" });
  await until(async () => (await ground.get("/v1/contracts")).items.length === 1, "the contract");
  docusign.failNext(1, { status: 500 }, ({ template }) => template === "/envelopes/{envelopeId}");
  await docusign.concludeEnvelope({ from: colleague });
  await until(async () => (await ground.get("/v1/contracts")).items.length === 2, "the other contract");
  const token = await ground.token();
  await fetch(`${ground.url}/v1/changes?limit=1`, { headers: { authorization: `Bearer ${token}` } });
  const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
  await fetch(`${ground.url}/v1/contracts`, { headers: { traceparent } });
  await fetch(`http://127.0.0.1:${ground.programs.get("all-1")?.port}/healthz`);
  await end(ground);
  const kept = opened.move();
  return { ground, collector, envelopeId, token, heard, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function createTracedGround(
  collector: Collector,
  environment: Record<string, string> = {},
): Promise<Ground> {
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  return await createGround({
    serves: 0,
    works: 0,
    alls: 1,
    environment: { ...tracing, SHUTDOWN_TIMEOUT: "3", ...environment },
  });
}

/** The remaining spans are sent by then. */
async function end({ programs }: Ground): Promise<void> {
  const program = programs.get("all-1");
  program?.kill("SIGTERM");
  assert.deepEqual(await program?.ending, { status: 0, signal: null }, program?.noise.join("\n"));
  assert.deepEqual(program?.noise, []);
}

function one(spans: readonly Span[], isIt: (span: Span) => boolean): Span {
  const [span, ...others] = spans.filter(isIt);
  assert.ok(
    span !== undefined,
    `no such span among ${[...new Set(spans.map(({ name }) => name))].join(", ")}`,
  );
  assert.deepEqual(others, []);
  return span;
}

/** All descendant spans. */
function within(spans: readonly Span[], span: Span): Span[] {
  const children = spans.filter(({ parentSpanId }) => parentSpanId === span.spanId);
  return children.flatMap((child) => [child, ...within(spans, child)]);
}

function text(attributes: Span["attributes"]): string {
  return JSON.stringify(attributes);
}
