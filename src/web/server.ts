import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type HttpServer = {
  readonly port: number;
  /** Takes no more connections, lets requests under way finish, and cuts off what is left after the time limit. */
  close(timeoutMs: number): Promise<void>;
};

/** Slow senders hold a connection, never more than these. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than an ingress keeps its idle connections, so that it never writes into one we are closing. */
const KEEP_ALIVE_MS = 75_000;

/** Listens on the address; rejects where the port is taken. */
export async function startHttpServer(
  listener: RequestListener,
  address: { host: string; port: number },
): Promise<HttpServer> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
    listener,
  );
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  return { port: portOf(server), close: async (timeoutMs) => await closeServer(server, timeoutMs) };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  return address.port;
}

async function closeServer(server: Server, timeoutMs: number): Promise<void> {
  const cutOff = setTimeout(() => server.closeAllConnections(), timeoutMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  } finally {
    clearTimeout(cutOff);
  }
}
