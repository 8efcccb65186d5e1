import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startHttpServer } from "../../src/web/server.ts";

const PATIENCE_MS = 30_000;
const ASK = "GET / HTTP/1.1\r\nHost: torikomi\r\n\r\n";

test("a response that is sent but not yet read is complete when the server has closed", async () => {
  const answer = "x".repeat(40_000_000);
  await using site = await serve((_request, response) => response.end(answer));
  const reader = site.connect(ASK);
  await once(reader, "readable");

  const closed = site.close();
  const read = await text(reader);
  const tookMs = await closed;

  assert.equal(read.length - read.indexOf("xx"), answer.length);
  assert.ok(tookMs < PATIENCE_MS / 3, `${tookMs} ms`);
});

test("an answered connection closes at once, and one without a request soon after", async () => {
  await using site = await serve((_request, response) => response.end("done"));
  const [answered] = [site.connect(ASK), site.connect("")];
  await once(answered, "data");

  const tookMs = await site.close();

  assert.ok(tookMs < PATIENCE_MS / 3, `${tookMs} ms`);
});

test("a client that connected just before the end is still answered, with Connection: close", async () => {
  await using site = await serve((_request, response) => response.end("done"));
  const [late, other] = [site.connect(""), site.connect(ASK)];
  await once(other, "data");

  const closed = site.close();
  late.write(ASK);
  const read = await text(late);
  await closed;

  assert.match(read, /^HTTP\/1\.1 200 OK\r\n(.+\r\n)*Connection: close\r\n/);
});

type Site = AsyncDisposable & {
  /** Opens a connection and sends this. */
  connect(sent: string): Socket;
  /** Closes the server; returns the duration in milliseconds. */
  close(): Promise<number>;
};

async function serve(listener: RequestListener): Promise<Site> {
  const server = await startHttpServer(listener, { host: "127.0.0.1", port: 0 });
  return {
    connect(sent) {
      const socket = connect({ port: server.port, host: "127.0.0.1" });
      if (sent !== "") socket.write(sent);
      return socket;
    },
    async close() {
      const begun = performance.now();
      await server.close(PATIENCE_MS);
      return performance.now() - begun;
    },
    [Symbol.asyncDispose]: async () => await server.close(0),
  };
}
