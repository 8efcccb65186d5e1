import { isUtf8 } from "node:buffer";
import express, { type Request, type RequestHandler, type Response } from "express";
import { z } from "zod";
import { describeError } from "../../domain/fault-text.ts";
import { Refusal } from "../../domain/refusal.ts";
import type { ChangeNews } from "../../store/contracts/change-news.ts";
import type { Log, Uses } from "../../usecases/capabilities.ts";
import { type Caller, callerOf, requireScope } from "../auth/tokens.ts";
import { parseQuery } from "./query.ts";
import type { Turns } from "./turns.ts";

/** What all endpoints together use. */
export type ApiUses = Uses<
  | "adminProfiles"
  | "budgets"
  | "db"
  | "documents"
  | "importTiming"
  | "log"
  | "now"
  | "oauth"
  | "openAccount"
  | "publicUrl"
  | "reserveShare"
  | "vault"
> & {
  readonly changeNews: ChangeNews;
  /** Turns of those who read changes: all who wait for a tenant's news wake at the same moment. */
  readonly changeTurns: Turns;
  /** How long an answer may take to begin. */
  readonly answerWithinMs: number;
};

/** One request, checked: whatever a handler finds here is in the shape that its definition asks for. */
export type EndpointCall<Params, Query, Body> = {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  readonly response: Response;
};

/** Under what an endpoint is listed. */
export type Tag = "Contracts" | "Changes" | "Groups" | "Link" | "History" | "DocuSign Connect";

/** What an endpoint is: from this come the checks of its requests and answers, and its description. */
type Definition<Params, Query, Body, Answer> = {
  readonly id: string;
  readonly method: "get" | "put" | "post" | "patch" | "delete";
  /** With `{name}` for what differs. */
  readonly path: string;
  readonly tag: Tag;
  /** In the imperative. */
  readonly summary: string;
  readonly description: string;
  /** Any one of them lets pass. */
  readonly scopes: readonly string[];
  /** What doesn't fit is not found, unless `refuseParams` says otherwise. */
  readonly params: z.ZodType<Params, Record<string, unknown>>;
  readonly refuseParams?: "malformed";
  readonly query: z.ZodType<Query, Record<string, unknown>>;
  /** Headers of the request that change the answer, beside those that all of its kind read. */
  readonly reads?: Readonly<Record<string, z.ZodType>>;
  readonly body: z.ZodType<Body>;
  readonly bodyExample?: unknown;
  readonly answer: {
    readonly status: 200 | 201 | 204;
    readonly description: string;
    /** The wire form of what `handle` gives; null where nothing is sent, or where `handle` sends it itself. */
    readonly schema: z.ZodType<Answer> | null;
    readonly example?: unknown;
    readonly mediaType?: string;
    /** The headers that are its own. */
    readonly headers?: Readonly<Record<string, z.ZodType>>;
    /** `handle` answers `Range` with the part that it asks for. */
    readonly inRanges?: true;
  };
  /** How long it may wait of its own accord, beside the time that an answer may take. */
  readonly patienceMs?: number;
  /** The problems that are this endpoint's own, by status. */
  readonly problems: Readonly<Record<number, string>>;
};

export type Endpoint = Definition<unknown, unknown, unknown, unknown> & {
  readonly serve: (deps: ApiUses) => RequestHandler[];
};

/** For endpoints without parameters: whatever is given is refused. */
export const NO_PARAMETERS = z.strictObject({});

/** For endpoints without a body: none is read. */
export const NO_BODY: z.ZodType<undefined> = z.undefined();

/** An endpoint with what it does. A handler without a schema for its answer sends the answer itself. */
export function endpoint<Params, Query, Body, Answer>(
  definition: Definition<Params, Query, Body, Answer>,
  handle: (deps: ApiUses, call: EndpointCall<Params, Query, Body>) => Promise<Answer>,
): Endpoint {
  const { answer, scopes } = definition;
  const serve = (deps: ApiUses): RequestHandler => {
    return async (request, response) => {
      response.set("Cache-Control", "private, no-cache");
      const call = checkRequest(definition, request, response);
      const withinMs = deps.answerWithinMs + (definition.patienceMs ?? 0);
      const value = await beginInTime(response, handle(deps, call), { withinMs, log: deps.log });
      if (answer.schema !== null) response.status(answer.status).json(z.encode(answer.schema, value));
      else if (answer.status === 204) response.status(204).end();
    };
  };
  const readBody = hasNoBody(definition) ? [] : [readJson];
  return { ...definition, serve: (deps) => [checkScope(scopes), ...readBody, serve(deps)] };
}

/** Whether the endpoint is one without a body. */
export function hasNoBody({ body }: { readonly body: z.ZodType }): boolean {
  return body === NO_BODY;
}

/** Who may not ask has no body read. */
function checkScope(scopes: readonly string[]): RequestHandler {
  return (_request, response, next) => {
    requireScope(callerOf(response), ...scopes);
    next();
  };
}

/** The largest body holds one name. A body is read as JSON whatever it is called: nothing else is understood. */
const readJson = express.json({ limit: "16kb", inflate: false, type: () => true, verify: requireUtf8 });

/** Whatever is no UTF-8 would be taken for U+FFFD, and so be kept under another name. */
function requireUtf8(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw new Refusal("malformed", "body: has to be UTF-8");
}

function checkRequest<Params, Query, Body>(
  definition: Definition<Params, Query, Body, unknown>,
  request: Request,
  response: Response,
): EndpointCall<Params, Query, Body> {
  const params = definition.params.safeParse({ ...request.params });
  if (!params.success) throw new Refusal(definition.refuseParams ?? "not-found");
  const query = parseQuery(definition.query, request.query);
  const body = parseBody(definition.body, request.body);
  return { caller: callerOf(response), params: params.data, query, body, request, response };
}

function parseBody<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${["body", ...path].join(".")}: ${message}`,
  );
  throw new Refusal("malformed", problems.join("; "));
}

/**
 * Waits for the work until its time is over: then the caller is told to ask again, and whatever is under way ends
 * by itself. An answer that has begun may take as long as it takes.
 */
async function beginInTime<T>(
  response: Response,
  work: Promise<T>,
  { withinMs, log }: { withinMs: number; log: Pick<Log, "warn"> },
): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    if (response.headersSent) return;
    work.catch((error: unknown) => log.warn({ error: describeError(error) }, "a late answer failed"));
    reject(new Refusal("unavailable", "This takes longer than expected. Its outcome will be seen later."));
  }, withinMs);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
