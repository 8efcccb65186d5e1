import { type RequestHandler, Router } from "express";
import { Refusal } from "../../domain/refusal.ts";
import { problemFor, sendProblem } from "../problem.ts";

/** `GET /healthz`, `/readyz` and `/metrics`: liveness, readiness and metrics (service.md, operations). */
export function operationsRoutes(parts: {
  /** Resolves if the service is ready. Rejects with what is missing. */
  readonly checkReady: () => Promise<void>;
  readonly metrics: RequestHandler;
}): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    response.set("Cache-Control", "no-store").json({ status: "alive" });
  });
  router.get("/readyz", async (_request, response) => {
    response.set("Cache-Control", "no-store");
    try {
      await parts.checkReady();
      response.json({ status: "ready" });
    } catch (error) {
      const missing = error instanceof Error ? error.message : "unknown";
      const { status, body, headers } = problemFor(new Refusal("unavailable", missing));
      response.status(status).set({ ...headers });
      sendProblem(response, body);
    }
  });
  router.get("/metrics", parts.metrics);
  return router;
}
