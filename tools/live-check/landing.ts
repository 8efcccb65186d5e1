import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";

export type Delivery = { readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** Waits for the browser that comes back from DocuSign's login, and for Connect's messages. */
export type Landing = AsyncDisposable & {
  readonly port: number;
  /** The query of the first visit to `/callback`. */
  readonly returned: Promise<URLSearchParams>;
  /** The first message to `/connect`. */
  readonly delivered: Promise<Delivery>;
};

export async function openLanding(port: number): Promise<Landing> {
  const returned = Promise.withResolvers<URLSearchParams>();
  const delivered = Promise.withResolvers<Delivery>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "POST" && url.pathname === "/connect") {
      const { headers } = request;
      delivered.resolve(
        buffer(request).then((body) => {
          response.end();
          return { headers, body };
        }),
      );
    } else if (url.pathname === "/callback") {
      returned.resolve(url.searchParams);
      response.setHeader("content-type", "text/plain; charset=utf-8").end("Back to the terminal.\n");
    } else response.writeHead(404).end();
  }).listen(port);
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the port is not known");
  return {
    port: address.port,
    returned: returned.promise,
    delivered: delivered.promise,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
