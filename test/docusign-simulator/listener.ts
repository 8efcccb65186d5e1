import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";

export type Post = { readonly body: Buffer; readonly headers: IncomingHttpHeaders };

/** Somebody whom Connect tells: keeps what comes, and answers with the status that is set. */
export type Listener = AsyncDisposable & { readonly url: string; readonly posts: Post[]; status: number };

/** Listens on a free port; answers 200 until told otherwise. */
export async function startListener(): Promise<Listener> {
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      posts.push({ body, headers: request.headers });
      response.writeHead(listener.status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const listener: Listener = {
    url: `http://127.0.0.1:${address.port}/connect`,
    posts,
    status: 200,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return listener;
}

/** True if the message carries, for each key in turn, the base64 HMAC-SHA256 of its very bytes. */
export function isSignedWith({ body, headers }: Post, keys: readonly string[]): boolean {
  const shown = Object.keys(headers).filter((name) => name.startsWith("x-docusign-signature-"));
  return (
    shown.length === keys.length &&
    keys.every((key, index) => {
      const expected = createHmac("sha256", key).update(body).digest("base64");
      return headers[`x-docusign-signature-${index + 1}`] === expected;
    })
  );
}

/** The body as JSON. */
export function jsonOf({ body }: Pick<Post, "body">): unknown {
  return JSON.parse(body.toString());
}
