import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, type Socket, Server as TcpServer } from "node:net";

export type HttpServer = {
  readonly port: number;
  /**
   * Stops accepting connections and lets requests in progress finish; each connection closes after its answer. Closes
   * the remaining connections after `timeoutMs`.
   */
  close(timeoutMs: number): Promise<void>;
};

/** Limits how long a slow client can hold a connection. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Enough for the largest Connect message at the slowest permitted speed. Other bodies have less time (app.ts). */
const REQUEST_TIMEOUT_MS = 600_000;
/** Longer than an ingress keeps idle connections, so that it never writes to one that we are closing. */
const KEEP_ALIVE_MS = 75_000;
/** A client that connected just before the shutdown may still send its request within this time. */
const FIRST_REQUEST_MS = 1_000;

/** Listens on the address. Rejects if the port is in use. */
export async function startHttpServer(
  listener: RequestListener,
  address: { host: string; port: number },
): Promise<HttpServer> {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 5_000,
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const connections = watchConnections(server);
  server.on("request", listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  const close = async (timeoutMs: number) => await closeServer(server, connections, timeoutMs);
  return { port: portOf(server), close };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the server does not listen on a port");
  return address.port;
}

/** The open connections with their latest answer; null if no request has arrived yet. */
type Connections = Map<Socket, ServerResponse | null>;

function watchConnections(server: Server): Connections {
  const connections: Connections = new Map();
  server.on("connection", (socket) => {
    connections.set(socket, null);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    connections.set(socket, response);
    if (!server.listening) endWithAnswer(socket, response);
  });
  return connections;
}

async function closeServer(server: Server, connections: Connections, timeoutMs: number): Promise<void> {
  const cutOff = setTimeout(() => server.closeAllConnections(), timeoutMs);
  const hangUp = setTimeout(() => closeUnused(connections), Math.min(FIRST_REQUEST_MS, timeoutMs));
  try {
    await new Promise<void>((resolve) => {
      // The `close` of http.Server aborts answers that are written but not yet read.
      TcpServer.prototype.close.call(server, () => resolve());
      endConnections(connections);
    });
  } finally {
    clearTimeout(cutOff);
    clearTimeout(hangUp);
    // Stops the timer of `connectionsCheckingInterval`.
    server.close();
  }
}

function endConnections(connections: Connections): void {
  for (const [socket, answer] of connections) {
    if (answer?.writableFinished === true) socket.destroy();
    else if (answer !== null) endWithAnswer(socket, answer);
  }
}

function closeUnused(connections: Connections): void {
  for (const [socket, answer] of connections) if (answer === null) socket.destroy();
}

/** Adds `Connection: close`, or destroys the socket after the answer if the headers are already sent. */
function endWithAnswer(socket: Socket, response: ServerResponse): void {
  if (response.headersSent) response.once("close", () => socket.destroy());
  else response.setHeader("Connection", "close");
}
