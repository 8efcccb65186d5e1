import { type RequestHandler, Router } from "express";
import type { Uses } from "../../usecases/capabilities.ts";
import { limitRequests } from "../auth/rate-limit.ts";
import { authenticate, type TokenVerifier } from "../auth/tokens.ts";
import { errorHandler, notFoundHandler } from "../problem.ts";
import { RequestFault } from "../request-fault.ts";
import { deletionEndpoint } from "./contract-deletion.ts";
import { certificateEndpoint, documentEndpoint } from "./contract-document.ts";
import { contractEndpoints } from "./contracts.ts";
import type { ApiUses, Endpoint } from "./endpoint.ts";
import { envelopeEndpoint } from "./envelopes.ts";
import { changesEndpoint } from "./feed/changes.ts";
import { createFeedReader, type FeedReaderParts } from "./feed/feed-reader.ts";
import { createRepeatedReads } from "./feed/repeated-reads.ts";
import { groupEndpoints } from "./groups.ts";
import { historyEndpoints } from "./history.ts";
import { linkEndpoints } from "./link.ts";
import { describeApi } from "./openapi/document.ts";
import { tenantsEndpoint } from "./tenants.ts";

/** All endpoints of the cabinet API (service.md). */
export const ENDPOINTS: readonly Endpoint[] = [
  ...contractEndpoints,
  deletionEndpoint,
  documentEndpoint,
  certificateEndpoint,
  changesEndpoint,
  ...groupEndpoints,
  ...linkEndpoints,
  ...historyEndpoints,
  envelopeEndpoint,
  tenantsEndpoint,
];

export type ApiParts = Omit<ApiUses, "feed" | "repeatedReads"> &
  Uses<"metrics"> &
  FeedReaderParts & {
    verifyToken: TokenVerifier;
    /** Limit for each subject of each tenant. Each process counts for itself. */
    requestsPerMinute: number;
    /** The version of the program, for `/openapi.json`. */
    version: string;
  };

/** `/v1/…` needs a token of the cabinet; `/openapi.json` is public. Errors are answered as JSON. */
export function apiRoutes(parts: ApiParts): Router {
  const repeatedReads = createRepeatedReads(parts.metrics);
  const deps = { ...parts, feed: createFeedReader(parts), repeatedReads };
  const api = Router();
  api.use(ignoreCacheControl, authenticate(parts.verifyToken), limitRequests(parts.requestsPerMinute));
  for (const [path, endpoints] of Map.groupBy(ENDPOINTS, expressPath)) {
    for (const endpoint of endpoints) api[endpoint.method](path, ...endpoint.serve(deps));
    api.all(path, refuseMethod(endpoints));
  }
  api.use(notFoundHandler, errorHandler(deps.log));

  const description = describeApi(ENDPOINTS, parts.version);
  const router = Router();
  router.get("/openapi.json", (_request, response) => {
    response.set("Cache-Control", "no-cache").json(description);
  });
  return router.use("/v1", api);
}

/**
 * `fetch` adds `Cache-Control: no-cache` if its caller sets `If-None-Match`, and Express would then ignore the
 * condition. The directive is for caches, and this is the origin server (RFC 9110 13.1.2).
 */
const ignoreCacheControl: RequestHandler = (request, _response, next) => {
  delete request.headers["cache-control"];
  next();
};

/** Converts `/v1/contracts/{id}` to `/contracts/:id`, relative to `/v1`. */
function expressPath({ path }: Endpoint): string {
  return path.replace(/^\/v1/, "").replace(/\{(\w+)\}/g, ":$1");
}

function refuseMethod(endpoints: readonly Endpoint[]): RequestHandler {
  const methods = endpoints.map(({ method }) => method.toUpperCase());
  const allowed = methods.includes("GET") ? ["HEAD", ...methods] : methods;
  return (_request, response) => {
    response.set("Allow", allowed.join(", "));
    throw new RequestFault(405, "method not allowed");
  };
}
