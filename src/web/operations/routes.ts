import { type RequestHandler, Router } from "express";
import { Refusal } from "../../domain/refusal.ts";
import { problemFor, sendProblem } from "../problem.ts";

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
      const lacking = error instanceof Error ? error.message : "unknown";
      const { status, body, headers } = problemFor(new Refusal("unavailable", lacking));
      response.status(status).set({ ...headers });
      sendProblem(response, body);
    }
  });
  router.get("/metrics", deps.metrics);
  return router;
}
