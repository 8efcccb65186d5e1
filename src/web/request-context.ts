import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "express";
import type { Logger } from "pino";

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/;
const MAX_PATH = 300;
const OPERATIONS = new Set(["/healthz", "/readyz", "/metrics"]);

const REQUEST_ID_HEADER = "X-Request-Id";

/**
 * Gives each request an id, tells it in `X-Request-Id`, and writes one line when the answer is through or has broken
 * off: method, path, status, duration. Nothing else of the request is logged: no header and no query, where tokens,
 * cookies, signatures, codes and states travel.
 *
 * One logger writes all lines: a child logger of its own would keep each request until the next full garbage
 * collection (docs/benchmarks.md).
 */
export function requestContext(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const begin = performance.now();
    const requestId = chooseRequestId(request);
    response.setHeader(REQUEST_ID_HEADER, requestId);
    response.once("close", () => {
      const durationMs = Math.round(performance.now() - begin);
      const line = { requestId, ...describeExchange(request, response), durationMs };
      logger[levelOf(request)](line, endOf(response));
    });
    next();
  };
}

/** The id that `requestContext` gave to the request, or null where it was not asked. */
export function requestIdOf(response: ServerResponse): string | null {
  const id = response.getHeader(REQUEST_ID_HEADER);
  return typeof id === "string" ? id : null;
}

/** An id that a proxy in front of us gave is kept, so that one request is one id in everybody's logs. */
function chooseRequestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
}

function levelOf(request: IncomingMessage): "debug" | "info" {
  return OPERATIONS.has(pathOf(request)) ? "debug" : "info";
}

function describeExchange(request: IncomingMessage, response: ServerResponse): object {
  return { method: request.method, path: pathOf(request), status: response.statusCode };
}

function endOf(response: ServerResponse): string {
  if (!response.writableFinished) return "request aborted";
  return response.statusCode < 500 ? "request completed" : "request failed";
}

function pathOf(request: IncomingMessage): string {
  const address =
    "originalUrl" in request && typeof request.originalUrl === "string" ? request.originalUrl : request.url;
  return (address ?? "").split("?", 1)[0]?.slice(0, MAX_PATH) ?? "";
}
