import { isUtf8 } from "node:buffer";
import express, { type Request, type RequestHandler, type Response } from "express";
import type { Logger } from "pino";
import { z } from "zod";
import { describeError } from "../../domain/fault-text.ts";
import { Refusal } from "../../domain/refusal.ts";
import type { Log, Uses } from "../../usecases/capabilities.ts";
import { type Caller, callerOf, requireScope, type TenantCaller } from "../auth/tokens.ts";
import type { FeedReader } from "./feed/feed-reader.ts";
import type { RepeatedReads } from "./feed/repeated-reads.ts";
import { parseQuery } from "./query.ts";
import { anyTenant, everyTenant, namedTenant, ownTenant, type Tenancy } from "./tenancy.ts";

/** The capabilities that the endpoints use. */
export type ApiUses = Uses<
  | "adminProfiles"
  | "budgets"
  | "cabinetOrigins"
  | "db"
  | "documents"
  | "importTiming"
  | "log"
  | "notifier"
  | "now"
  | "oauth"
  | "openAccount"
  | "publicUrl"
  | "reserveShare"
  | "vault"
> & {
  readonly log: Pick<Logger, "info">;
  readonly feed: FeedReader;
  readonly repeatedReads: RepeatedReads;
  /** Time until an answer must start. */
  readonly answerWithinMs: number;
};

/** A validated request: params, query and body have the shapes of the endpoint's definition. */
export type EndpointCall<Params, Query, Body, Acting extends Caller = TenantCaller> = {
  /** Its tenant is the one whose data the request asks for. */
  readonly caller: Acting;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  readonly response: Response;
};

/** The OpenAPI tag of an endpoint. */
export type Tag = "Contracts" | "Changes" | "Groups" | "Link" | "History" | "Tenants" | "DocuSign Connect";

/** Defines an endpoint. Request checks, the answer's encoding and the OpenAPI description derive from it. */
type Definition<Params, Query, Body, Answer> = {
  readonly id: string;
  readonly method: "get" | "put" | "post" | "patch" | "delete";
  /** With `{name}` for path parameters. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description: string;
  /** The caller needs any one of them. */
  readonly scopes: readonly string[];
  /** `name-tenant`: service tokens name the tenant in the query. `only`: other tokens are refused. */
  readonly serviceTokens?: "name-tenant" | "only";
  /** Invalid path parameters are refused with `not-found` unless `refuseParams` is set. */
  readonly params: z.ZodType<Params, Record<string, unknown>>;
  readonly refuseParams?: "malformed";
  readonly query: z.ZodType<Query, Record<string, unknown>>;
  /** Request headers that change the answer, in addition to the conditional and range headers. */
  readonly reads?: Readonly<Record<string, z.ZodType>>;
  readonly body: z.ZodType<Body>;
  readonly bodyExample?: unknown;
  readonly answer: {
    readonly status: 200 | 201 | 204;
    readonly description: string;
    /** Encodes the result of `handle`. Null if there is no body or `handle` sends it. */
    readonly schema: z.ZodType<Answer> | null;
    readonly example?: unknown;
    readonly mediaType?: string;
    /** Headers that only this endpoint sends. */
    readonly headers?: Readonly<Record<string, z.ZodType>>;
    /** Set if `handle` supports `Range`. */
    readonly inRanges?: true;
  };
  /** Time that the endpoint may wait on request (long polling), in addition to `answerWithinMs`. */
  readonly patienceMs?: number;
  /** Problems that only this endpoint reports, by status. */
  readonly problems: Readonly<Record<number, string>>;
};

export type Endpoint = Definition<unknown, unknown, unknown, unknown> & {
  readonly serve: (deps: ApiUses) => RequestHandler[];
};

/** For endpoints without parameters. Every parameter is refused. */
export const NO_PARAMETERS = z.strictObject({});

/** For endpoints without a body. A body that is sent is not read. */
export const NO_BODY: z.ZodType<undefined> = z.undefined();

/**
 * Combines a definition with its handler. If the answer has no schema, the handler sends the answer. Service tokens are
 * refused unless the definition lets them name a tenant.
 */
export function endpoint<Params, Query, Body, Answer>(
  definition: Definition<Params, Query, Body, Answer>,
  handle: (deps: ApiUses, call: EndpointCall<Params, Query, Body>) => Promise<Answer>,
): Endpoint {
  const tenancy = definition.serviceTokens === "name-tenant" ? namedTenant : ownTenant;
  return serveAs(tenancy, definition, handle);
}

/** Like `endpoint`; the caller's tenant is null for a service token, which reads all tenants. */
export function endpointOfAllTenants<Params, Query, Body, Answer>(
  definition: Definition<Params, Query, Body, Answer>,
  handle: (deps: ApiUses, call: EndpointCall<Params, Query, Body, Caller>) => Promise<Answer>,
): Endpoint {
  const tenancy = definition.serviceTokens === "only" ? everyTenant : anyTenant;
  return serveAs(tenancy, definition, handle);
}

function serveAs<Params, Query, Body, Answer, Acting extends Caller>(
  tenancy: Tenancy<Acting>,
  definition: Definition<Params, Query, Body, Answer>,
  handle: (deps: ApiUses, call: EndpointCall<Params, Query, Body, Acting>) => Promise<Answer>,
): Endpoint {
  const { answer, scopes } = definition;
  const serve = (deps: ApiUses): RequestHandler => {
    return async (request, response) => {
      response.set("Cache-Control", "private, no-cache");
      const { caller, query } = tenancy(callerOf(response), { ...request.query });
      const call = { ...checkRequest(definition, request, query), caller, request, response };
      const withinMs = deps.answerWithinMs + (definition.patienceMs ?? 0);
      const value = await beginInTime(response, handle(deps, call), { withinMs, log: deps.log });
      if (answer.schema !== null) response.status(answer.status).json(z.encode(answer.schema, value));
      else if (answer.status === 204) response.status(204).end();
    };
  };
  const readBody = hasNoBody(definition) ? [] : [readJson];
  return { ...definition, serve: (deps) => [checkScope(scopes), ...readBody, serve(deps)] };
}

export function hasNoBody({ body }: { readonly body: z.ZodType }): boolean {
  return body === NO_BODY;
}

/** Runs before the body is read, so that callers without the scope cannot send one. */
function checkScope(scopes: readonly string[]): RequestHandler {
  return (_request, response, next) => {
    requireScope(callerOf(response), ...scopes);
    next();
  };
}

/** Bodies hold at most one name, so 16 KB are enough. Every content type is parsed as JSON, the only format. */
const readJson = express.json({ limit: "16kb", inflate: false, type: () => true, verify: requireUtf8 });

/** The parser would replace invalid UTF-8 by U+FFFD, and so store a different name. */
function requireUtf8(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw new Refusal("malformed", "body: must be UTF-8");
}

function checkRequest<Params, Query, Body>(
  definition: Definition<Params, Query, Body, unknown>,
  request: Request,
  given: Readonly<Record<string, unknown>>,
): { readonly params: Params; readonly query: Query; readonly body: Body } {
  const params = definition.params.safeParse({ ...request.params });
  if (!params.success) throw new Refusal(definition.refuseParams ?? "not-found");
  const query = parseQuery(definition.query, given);
  const body = parseBody(definition.body, request.body);
  return { params: params.data, query, body };
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
 * Refuses with `unavailable` if no answer has started after `withinMs`. The work continues in the background. An answer
 * that has started has no time limit.
 */
async function beginInTime<T>(
  response: Response,
  work: Promise<T>,
  { withinMs, log }: { withinMs: number; log: Pick<Log, "warn"> },
): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    if (response.headersSent) return;
    work.catch((error: unknown) => log.warn({ error: describeError(error) }, "a late answer failed"));
    reject(
      new Refusal(
        "unavailable",
        "The request takes too long. It may still complete: check the result later.",
      ),
    );
  }, withinMs);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
