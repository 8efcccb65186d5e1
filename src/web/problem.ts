import { STATUS_CODES } from "node:http";
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { describeError } from "../domain/fault-text.ts";
import { Refusal, type RefusalCode } from "../domain/refusal.ts";
import { isUnavailable } from "../store/database-errors.ts";
import type { Log } from "../usecases/capabilities.ts";
import {
  PROBLEM_URN,
  type Problem,
  type ProblemCode,
  REQUEST_URN,
  type RequestFaultCode,
} from "./problem-details.ts";
import { requestIdOf } from "./request-context.ts";
import { InvalidToken } from "./request-fault.ts";

type ProblemAnswer = {
  readonly status: number;
  readonly body: Problem;
  readonly headers?: Readonly<Record<string, string>>;
};

type Kind = {
  readonly status: number;
  readonly title: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * not-admin and group-not-found are 422: the request is allowed, but the user or group cannot be linked. 403 is for
 * tokens that lack a scope, 404 for addresses of things that do not exist.
 */
const REFUSALS: Record<RefusalCode, Kind> = {
  malformed: { status: 400, title: "Malformed request" },
  unauthorized: { status: 401, title: "Authentication required", headers: { "WWW-Authenticate": "Bearer" } },
  forbidden: { status: 403, title: "Not allowed" },
  "not-found": { status: 404, title: "Not found" },
  gone: { status: 410, title: "Gone" },
  "not-admin": { status: 422, title: "Not a DocuSign administrator" },
  "group-not-found": { status: 422, title: "Contract group not found" },
  "link-not-found": { status: 404, title: "Link not found" },
  "link-active": { status: 409, title: "Link already active" },
  "not-awaiting-approval": { status: 409, title: "Link not awaiting approval" },
  "not-active": { status: 409, title: "Link not active" },
  "not-paused": { status: 409, title: "Link not paused" },
  "deletion-failed": { status: 502, title: "Deletion not completed" },
  unavailable: { status: 503, title: "Temporarily unavailable", headers: { "Retry-After": "5" } },
};

const INVALID_TOKEN: Kind = {
  ...REFUSALS.unauthorized,
  headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
};

/** Maps an error to its answer. Errors other than refusals and request faults become a 500 without internal details. */
export function problemFor(error: unknown): ProblemAnswer {
  if (error instanceof InvalidToken) return answer(error.code, INVALID_TOKEN, detailOf(error));
  if (error instanceof Refusal) return answer(error.code, REFUSALS[error.code], detailOf(error));
  const status = requestFaultOf(error);
  if (status === null) return answer("internal", { status: 500, title: "Internal error" });
  return answer(REQUEST_FAULTS[status] ?? "malformed", {
    status,
    title: STATUS_CODES[status] ?? "Malformed request",
  });
}

/**
 * The last handler of an app or router. Answers with problem details as JSON, or with a page if `render` is given and
 * the browser prefers HTML. Logs faults once as `error`, and refusals of 500 and above once as `warn`.
 */
export function errorHandler(
  logger: Log,
  render?: (problem: Problem, request: Request) => string,
): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const id = requestIdOf(response);
    const error = isUnavailable(thrown) ? unavailable(thrown) : thrown;
    const { status, body, headers } = problemFor(error);
    log(logger, error, status, id);
    if (response.headersSent) {
      // A partial answer cannot become an error answer. A broken connection shows that it is incomplete.
      response.destroy();
      return;
    }
    const problem = id === null ? body : { ...body, instance: `${REQUEST_URN}${id}` };
    response.status(status).set({ ...headers, "Cache-Control": "no-store" });
    if (render !== undefined && request.accepts(["json", "html"]) === "html") {
      response.type("html").send(render(problem, request));
      return;
    }
    sendProblem(response, problem);
  };
}

/** Sends the body as `application/problem+json`. Set the status and headers before. */
export function sendProblem(response: Response, problem: Problem): void {
  response.type("application/problem+json").send(JSON.stringify(problem));
}

/** An unreachable database is not a fault of the service: the caller should retry. */
function unavailable(cause: unknown): Refusal {
  return new Refusal("unavailable", "Service temporarily unavailable.", { cause });
}

/** Refuses unknown addresses with `not-found`. Place it after all routes. */
export const notFoundHandler: RequestHandler = () => {
  throw new Refusal("not-found");
};

const REQUEST_FAULTS: Readonly<Record<number, RequestFaultCode>> = {
  404: "not-found",
  405: "method-not-allowed",
  408: "request-timeout",
  413: "too-large",
  415: "unsupported-media-type",
  416: "range-not-satisfiable",
  429: "too-many-requests",
};

function answer(code: ProblemCode, { status, title, headers }: Kind, detail?: string): ProblemAnswer {
  const body = {
    type: `${PROBLEM_URN}${code}`,
    title,
    status,
    ...(detail !== undefined && { detail }),
  };
  return { status, body, ...(headers !== undefined && { headers }) };
}

function detailOf(refusal: Refusal): string | undefined {
  return refusal.message === refusal.code ? undefined : refusal.message;
}

/** Express and its body parsers mark request faults with a 4xx `status`. Their messages may quote the body. */
function requestFaultOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return null;
  return error.status >= 400 && error.status < 500 ? error.status : null;
}

function log(logger: Log, error: unknown, status: number, requestId: string | null): void {
  if (status < 500) return;
  // Not `err`: pino's serializer for that key copies all properties of the error.
  const line = { requestId, status, error: describeError(error) };
  if (error instanceof Refusal) logger.warn(line, "request could not be served");
  else logger.error(line, "request failed");
}
