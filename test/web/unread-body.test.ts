import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import express from "express";
import { pino } from "pino";
import { errorHandler } from "../../src/web/problem.ts";
import { startHttpServer } from "../../src/web/server.ts";
import { requireBodyWithin } from "../../src/web/unread-body.ts";

test("a body that is not complete in time is answered with 408, and the connection ends", async () => {
  await using server = await startServer(200);

  assert.match(await server.send('{"a":'), /^HTTP\/1\.1 408 /);
  assert.match(await server.send('{"a":1}'), /^HTTP\/1\.1 200 /);
});

/** Answers with 200 when the body is complete. */
async function startServer(withinMs: number) {
  const app = express();
  app.use(requireBodyWithin(withinMs));
  app.post("/", express.json(), (_request, response) => void response.end());
  app.use(errorHandler(pino({ level: "silent" })));
  const server = await startHttpServer(app, { host: "127.0.0.1", port: 0 });
  return {
    /** Sends a body of declared seven bytes, and returns all that comes until the server ends the connection. */
    send: async (body: string): Promise<string> => {
      const socket = connect(server.port, "127.0.0.1");
      const connection = body.length === 7 ? "close" : "keep-alive";
      socket.write(
        `POST / HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nContent-Type: application/json\r\n` +
          `Content-Length: 7\r\n\r\n${body}`,
      );
      let text = "";
      socket.on("data", (piece) => (text += String(piece)));
      await once(socket, "end");
      socket.destroy();
      return text;
    },
    [Symbol.asyncDispose]: async () => await server.close(0),
  };
}
