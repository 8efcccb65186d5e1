import type { ChangeNews } from "../../src/store/contracts/change-news.ts";
import { VERSION } from "../../src/version.ts";
import { type ApiParts, apiRoutes } from "../../src/web/api/routes.ts";
import { createApp } from "../../src/web/app.ts";
import { createTokenVerifier } from "../../src/web/auth/tokens.ts";
import { startHttpServer } from "../../src/web/server.ts";
import type { World } from "../support/world.ts";

export type Served = AsyncDisposable & { readonly url: string };

/** Waits for changes end at once. */
export const NO_NEWS: ChangeNews = { waitFor: async () => "over", close: async () => {} };

/** Starts another API server on a world's database, with parts that the test chooses. */
export async function serveApi(
  world: World,
  parts: Pick<ApiParts, "changeNews"> & Partial<ApiParts>,
): Promise<Served> {
  const { serving, tasks, log, now, config } = world.service.foundation;
  const { audience, serviceTokenSubjects: serviceSubjects } = config.cabinet;
  const deps: ApiParts = {
    ...tasks,
    db: serving.db,
    importTiming: "immediate",
    reserveShare: 0.25,
    answerWithinMs: 60_000,
    requestsPerMinute: 100_000,
    feedWaiters: 100_000,
    version: VERSION,
    verifyToken: createTokenVerifier({ issuer: world.cabinet.issuer, audience, serviceSubjects, now }),
    ...parts,
  };
  const app = createApp({ log, trustProxy: 0, receivers: [], routes: [apiRoutes(deps)] });
  const server = await startHttpServer(app, { host: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: async () => await server.close(1_000),
  };
}
