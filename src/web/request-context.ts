import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "express";
import type { Logger } from "pino";

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/;
const MAX_PATH = 300;
const OPERATIONS = new Set(["/healthz", "/readyz", "/metrics"]);

const REQUEST_ID_HEADER = "X-Request-Id";

/**
 * Assigns each request an id, returned in `X-Request-Id`. Logs one line when the answer is complete or aborted: method,
 * path, status and duration. Headers and queries are never logged: they carry tokens, cookies, signatures, codes and
 * states.
 *
 * All lines use one logger. A child logger per request would keep each request in memory until the next full garbage
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

/** The id that `requestContext` assigned to the request, or null if it did not run. */
export function requestIdOf(response: ServerResponse): string | null {
  const id = response.getHeader(REQUEST_ID_HEADER);
  return typeof id === "string" ? id : null;
}

/** Keeps an id that a proxy assigned, so that a request has the same id in all logs. */
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
