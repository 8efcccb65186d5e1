import { type RequestHandler, Router } from "express";

export type OperationsDeps = {
  /** Resolves where the service can do its work; rejects with what it lacks. */
  checkReady: () => Promise<void>;
  metrics: RequestHandler;
};

/** `GET /healthz`, `/readyz` and `/metrics`: alive, able to work, and in figures (service.md, operations). */
export function operationsRoutes(deps: OperationsDeps): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    response.set("Cache-Control", "no-store").json({ status: "alive" });
  });
  router.get("/readyz", async (_request, response) => {
    response.set("Cache-Control", "no-store");
    try {
      await deps.checkReady();
      response.json({ status: "ready" });
    } catch (error) {
      response
        .status(503)
        .json({ status: "not ready", reason: error instanceof Error ? error.message : "unknown" });
    }
  });
  router.get("/metrics", deps.metrics);
  return router;
}
