import { STATUS_CODES } from "node:http";
import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import { describeError } from "../domain/fault-text.ts";
import { Refusal, type RefusalCode } from "../domain/refusal.ts";
import { isUnavailable } from "../store/database-errors.ts";
import type { Log } from "../usecases/capabilities.ts";
import { requestIdOf } from "./request-context.ts";
import { InvalidToken } from "./request-fault.ts";

/** An error answer as RFC 9457 has it; `type` is `urn:torikomi:problem:` and a stable code. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
};

type ProblemAnswer = {
  readonly status: number;
  readonly body: Problem;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What `type` holds in front of a problem's code. */
export const PROBLEM_URN = "urn:torikomi:problem:";

/** What `instance` holds in front of the request's id. */
export const REQUEST_URN = "urn:torikomi:request:";

type Kind = {
  readonly status: number;
  readonly title: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * not-admin and group-not-found are 422: the caller may ask, but what was named cannot be linked. 403 is kept for
 * tokens that lack a scope, 404 for what the address names.
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
  "link-active": { status: 409, title: "A link is active" },
  "not-awaiting-approval": { status: 409, title: "The link awaits no approval" },
  "deletion-failed": { status: 502, title: "The deletion could not be completed" },
  unavailable: { status: 503, title: "Temporarily unavailable", headers: { "Retry-After": "5" } },
};

const INVALID_TOKEN: Kind = {
  ...REFUSALS.unauthorized,
  headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
};

/** How an error is answered. What is no refusal and no fault of the request is a 500 that tells nothing of the inside. */
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
 * The last handler of an app or router: problem details as JSON, or as a page where `render` is given and the
 * browser prefers one. Faults leave one log line `error`, refusals of 500 and above one line `warn`.
 */
export function errorHandler(logger: Log, render?: (problem: Problem) => string): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const id = requestIdOf(response);
    const error = isUnavailable(thrown) ? askAgain(thrown) : thrown;
    const { status, body, headers } = problemFor(error);
    log(logger, error, status, id);
    if (response.headersSent) {
      // Half an answer cannot become an error answer: a broken connection tells the reader that it is not whole.
      response.destroy();
      return;
    }
    const problem = id === null ? body : { ...body, instance: `${REQUEST_URN}${id}` };
    response.status(status).set({ ...headers, "Cache-Control": "no-store" });
    if (render !== undefined && request.accepts(["json", "html"]) === "html") {
      response.type("html").send(render(problem));
      return;
    }
    sendProblem(response, problem);
  };
}

/** Ends the answer, whose status and headers are set, as RFC 9457 has it. */
export function sendProblem(response: Response, problem: Problem): void {
  response.type("application/problem+json").send(JSON.stringify(problem));
}

/** A database that cannot be reached is a word to the caller rather than a fault of ours. */
function askAgain(cause: unknown): Refusal {
  return new Refusal("unavailable", "This cannot be answered just now.", { cause });
}

/** For the end of an app: an address that leads nowhere is a Refusal `not-found`. */
export const notFoundHandler: RequestHandler = () => {
  throw new Refusal("not-found");
};

const REQUEST_FAULTS: Readonly<Record<number, RequestFaultCode>> = {
  404: "not-found",
  405: "method-not-allowed",
  413: "too-large",
  415: "unsupported-media-type",
  416: "range-not-satisfiable",
  429: "too-many-requests",
};

type RequestFaultCode =
  | "not-found"
  | "method-not-allowed"
  | "too-large"
  | "unsupported-media-type"
  | "range-not-satisfiable"
  | "too-many-requests";

/** Every code that a problem may have. */
export type ProblemCode = RefusalCode | RequestFaultCode | "internal";

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

/** Express and its body parsers mark what is the request's fault with a 4xx `status`; their messages may quote the body. */
function requestFaultOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return null;
  return error.status >= 400 && error.status < 500 ? error.status : null;
}

function log(logger: Log, error: unknown, status: number, requestId: string | null): void {
  if (status < 500) return;
  // Not `err`: pino has its own way with that key, which copies whatever an error carries.
  const line = { requestId, status, error: describeError(error) };
  if (error instanceof Refusal) logger.warn(line, "request could not be served");
  else logger.error(line, "request failed");
}
