import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** A received request. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

/** The response to send; a function may do anything to the connection. */
export type Reply =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | ((response: ServerResponse) => void);

export type TestServer = AsyncDisposable & { readonly url: string; readonly received: readonly Received[] };

/** Starts a server that answers with `reply` and records the requests. */
export async function startServer(reply: (request: Received, count: number) => Reply): Promise<TestServer> {
  const received: Received[] = [];
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(message);
    received.push(request);
    send(response, reply(request, received.length));
  };
  const server = createServer((message, response) => void answer(message, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readRequest(message: IncomingMessage): Promise<Received> {
  const url = new URL(message.url ?? "/", "http://test");
  const { method = "", headers } = message;
  return { method, path: url.pathname, query: url.searchParams, headers, body: await text(message) };
}

function send(response: ServerResponse, reply: Reply): void {
  if (typeof reply === "function") {
    reply(response);
    return;
  }
  const isRaw = typeof reply.body === "string" || reply.body instanceof Uint8Array;
  const contentType = isRaw ? "text/plain" : "application/json";
  response.writeHead(reply.status ?? 200, { "content-type": contentType, ...reply.headers });
  response.end(isRaw ? reply.body : JSON.stringify(reply.body ?? {}));
}
