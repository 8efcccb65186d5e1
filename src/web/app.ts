import express, { type Express, type RequestHandler, type Router } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import { errorHandler, notFoundHandler, problemPage } from "./problem.ts";
import { requestContext } from "./request-context.ts";

export type Route = Router | RequestHandler;

export type AppParts = {
  log: Logger;
  trustProxy: number;
  /** In the order in which they are tried. */
  routes: readonly Route[];
};

/** The application: what holds for every request, the routes, and one place where errors are answered. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.set("trust proxy", parts.trustProxy);
  app.disable("x-powered-by");
  app.use(requestContext(parts.log));
  app.use(securityHeaders());
  for (const route of parts.routes) app.use(route);
  app.use(notFoundHandler);
  app.use(errorHandler(parts.log, problemPage));
  return app;
}

/** No inline script or style anywhere, no frames, no foreign sources. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        // Chromium applies form-action to redirects: linking leads to DocuSign, sign-out to the cabinet.
        formAction: ["'self'", "https:", "http://127.0.0.1:*", "http://localhost:*"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: "same-origin" },
  });
}
