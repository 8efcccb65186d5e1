import type { Express, RequestHandler } from "express";
import { type AppParts, createApp, type Route } from "./app.ts";
import { type HttpServer, startHttpServer } from "./server.ts";

export type Addresses = {
  readonly host: string;
  readonly port: number;
  /** If null, `port` answers the operations addresses. */
  readonly operationsPort: number | null;
};

/** The routes that a role serves at `port`. */
export type RoleParts = Pick<AppParts, "receivers" | "routes" | "pages">;

export type CommonParts = Omit<AppParts, keyof RoleParts> & {
  readonly timer: RequestHandler;
  readonly operations: Route;
};

export type Servers = AsyncDisposable & {
  readonly port: number;
  readonly operationsPort: number;
  /** Closes as an `HttpServer` does. */
  close(timeoutMs: number): Promise<void>;
};

/**
 * Serves the application. If the operations addresses have a separate port, only that port answers them, and it
 * answers nothing else.
 */
export async function startServers(
  addresses: Addresses,
  common: CommonParts,
  parts: RoleParts,
): Promise<Servers> {
  const { host, port, operationsPort } = addresses;
  await using started = new AsyncDisposableStack();
  const start = async (app: Express, at: number): Promise<HttpServer> =>
    started.adopt(await startHttpServer(app, { host, port: at }), async (server) => await server.close(0));
  const { operations: route, ...app } = common;
  const own = operationsPort === null ? { ...parts, routes: [route, ...parts.routes] } : parts;
  const main = await start(timedApp(app, own), port);
  const operations =
    operationsPort === null
      ? main
      : await start(timedApp(app, { receivers: [], routes: [route] }), operationsPort);
  const kept = started.move();
  return {
    port: main.port,
    operationsPort: operations.port,
    async close(timeoutMs) {
      const servers = [...new Set([main, operations])];
      await Promise.all(servers.map(async (server) => await server.close(timeoutMs)));
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

function timedApp({ timer, ...common }: Omit<CommonParts, "operations">, parts: RoleParts): Express {
  return createApp({ ...common, ...parts, receivers: [timer, ...parts.receivers] });
}
