import express, { type Express, type RequestHandler, type Router } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import type { PageSettings } from "../usecases/capabilities.ts";
import { problemPages } from "./page/problem-page.ts";
import { errorHandler, notFoundHandler } from "./problem.ts";
import { underPublicPath } from "./public-path.ts";
import { requestContext, requestIdOf } from "./request-context.ts";
import { requireBodyWithin } from "./unread-body.ts";

export type Route = Router | RequestHandler;

export type AppParts = {
  log: Logger;
  trustProxy: number;
  /** The routes do not include its path. Without this address, everything lies under the root. */
  publicUrl?: string;
  /** Runs a request's work so that its log lines carry the request id. Without it, the work just runs. */
  withRequestId?: (requestId: string, work: () => void) => void;
  /** Tried first. For programs, which do not need the headers that protect browsers. */
  receivers: readonly Route[];
  /** Tried in this order, for programs. */
  routes: readonly Route[];
  /** With pages, browsers get every other error as a page too, unknown addresses included. */
  pages?: Pages;
};

export type Pages = {
  /** Tried after the other routes. */
  routes: readonly Route[];
  settings: PageSettings;
};

/** Builds the application: what applies to every request, the routes, and the error handlers. */
export function createApp(parts: AppParts): Express {
  const app = express();
  // Not 0: the rate limit warns about forwarded requests only if it is false.
  app.set("trust proxy", parts.trustProxy === 0 ? false : parts.trustProxy);
  app.disable("x-powered-by");
  app.use(requestContext(parts.log));
  const underPath = parts.publicUrl === undefined ? null : underPublicPath(parts.publicUrl);
  if (underPath !== null) app.use(underPath);
  for (const route of parts.receivers) app.use(route);
  app.use(requireBodyWithin(BODY_MS));
  app.use(logged(parts));
  app.use(securityHeaders);
  for (const route of parts.routes) app.use(route);
  if (parts.pages !== undefined) {
    app.get("/", (_request, response) => response.redirect(303, "/links"));
    for (const route of parts.pages.routes) app.use(route);
  }
  app.use(notFoundHandler);
  app.use("/connect", errorHandler(parts.log));
  app.use(errorHandler(parts.log, parts.pages && problemPages(parts.pages.settings)));
  return app;
}

/** Time for the small bodies of API and page. The receiver has limits of its own. */
const BODY_MS = 60_000;

/** Follows the receivers, which log only the request's own line and must stay fast. */
function logged({ withRequestId }: AppParts): RequestHandler {
  return (_request, response, next) => {
    const requestId = requestIdOf(response);
    if (requestId === null || withRequestId === undefined) next();
    else withRequestId(requestId, next);
  };
}

/** No inline script or style anywhere, no frames, no foreign sources. A form that leads elsewhere is answered by a page. */
const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  referrerPolicy: { policy: "same-origin" },
});
