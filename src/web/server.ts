import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, type Socket, Server as TcpServer } from "node:net";

export type HttpServer = {
  readonly port: number;
  /**
   * Takes no more connections, lets requests under way finish, each connection with its answer, and cuts off what is
   * left after the time limit.
   */
  close(timeoutMs: number): Promise<void>;
};

/** Slow senders hold a connection, never more than these. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than an ingress keeps its idle connections, so that it never writes into one we are closing. */
const KEEP_ALIVE_MS = 75_000;
/** Whoever connected just before the end has a request on the way. */
const FIRST_REQUEST_MS = 1_000;

/** Listens on the address; rejects where the port is taken. */
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
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  return address.port;
}

/** The open connections, each with its latest answer; null where nothing was asked yet. */
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
  const hangUp = setTimeout(() => hangUpUnasked(connections), Math.min(FIRST_REQUEST_MS, timeoutMs));
  try {
    await new Promise<void>((resolve) => {
      // http's own way to close cuts off answers that are given but not yet read.
      TcpServer.prototype.close.call(server, () => resolve());
      endConnections(connections);
    });
  } finally {
    clearTimeout(cutOff);
    clearTimeout(hangUp);
    // Ends its clock.
    server.close();
  }
}

function endConnections(connections: Connections): void {
  for (const [socket, answer] of connections) {
    if (answer?.writableFinished === true) socket.destroy();
    else if (answer !== null) endWithAnswer(socket, answer);
  }
}

function hangUpUnasked(connections: Connections): void {
  for (const [socket, answer] of connections) if (answer === null) socket.destroy();
}

/** Once the head has left, nobody can be told any more that no other request is taken. */
function endWithAnswer(socket: Socket, response: ServerResponse): void {
  if (response.headersSent) response.once("close", () => socket.destroy());
  else response.setHeader("Connection", "close");
}
