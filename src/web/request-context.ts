import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "express";
import type { LevelWithSilent, Logger } from "pino";
import { pinoHttp } from "pino-http";

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/;
const MAX_PATH = 300;
const OPERATIONS = new Set(["/healthz", "/readyz", "/metrics"]);

/**
 * Gives each request an id, tells it in `X-Request-Id`, puts a logger that names it on `request.log`, and writes one
 * line when the answer is through: method, path, status, duration. Nothing else of the request is logged: no header
 * and no query, where tokens, cookies, signatures, codes and states travel.
 */
export function requestContext(logger: Logger): RequestHandler {
  return pinoHttp<IncomingMessage, ServerResponse>({
    logger,
    genReqId: chooseRequestId,
    customAttributeKeys: { reqId: "requestId" },
    quietReqLogger: true,
    quietResLogger: true,
    // pino-http writes out each request, headers and all, for one more logger, which nobody has here.
    wrapSerializers: false,
    serializers: { req: () => undefined },
    customLogLevel: levelOf,
    customSuccessObject: describeExchange,
    // The error itself is the error handler's line; this one only says how the exchange ended.
    customErrorObject: (request, response, _error, values: { responseTime?: unknown }) =>
      describeExchange(request, response, values),
    customErrorMessage: () => "request failed",
  });
}

/** The id that `requestContext` gave to the request, or null where it was not asked. */
export function requestIdOf(request: IncomingMessage): string | null {
  return typeof request.id === "string" ? request.id : null;
}

/**
 * What a log may hold of an error: names, messages, codes and stacks along its causes. Other properties are left out,
 * since database and HTTP clients put rows, headers and bodies there.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const cause =
    error.cause instanceof Error && depth < 5 ? { cause: describeError(error.cause, depth + 1) } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}

/** An id that a proxy in front of us gave is kept, so that one request is one id in everybody's logs. */
function chooseRequestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers["x-request-id"];
  const id = typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
  response.setHeader("X-Request-Id", id);
  return id;
}

function levelOf(request: IncomingMessage): LevelWithSilent {
  return OPERATIONS.has(pathOf(request)) ? "debug" : "info";
}

function describeExchange(
  request: IncomingMessage,
  response: ServerResponse,
  values: { responseTime?: unknown },
): object {
  return {
    method: request.method,
    path: pathOf(request),
    status: response.statusCode,
    durationMs: values.responseTime,
  };
}

function pathOf(request: IncomingMessage): string {
  const address =
    "originalUrl" in request && typeof request.originalUrl === "string" ? request.originalUrl : request.url;
  return (address ?? "").split("?", 1)[0]?.slice(0, MAX_PATH) ?? "";
}
