import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { type Answer, type Call, DocuSignError, type Found, findRoute, type Route } from "./exchange.ts";
import type { DownloadFault, Failure, Faults } from "./faults.ts";
import { contentOf } from "./pdf.ts";

export type ServerParts = {
  readonly routes: readonly Route[];
  readonly faults: Faults;
  readonly calls: Call[];
  readonly problems: string[];
  readonly now: () => Date;
  readonly latencyMs: number;
  /** How this site answers the call because the account is at another site; null if it is here. */
  readonly away: (call: Call) => Away | null;
};

export type Away = Failure | "hangs" | "hangs-up";

/** Listens on a free port of this machine. */
export async function startServer(parts: ServerParts): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answerRequest(parts, request, response).catch((error: unknown) => {
      // Who hangs up before the answer is through does nothing wrong.
      if (!response.destroyed && !request.destroyed)
        parts.problems.push(`the simulator broke: ${String(error)}`);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, close: () => close(server) };
}

function portOf(server: Server): number {
  const isNetwork = (address: string | AddressInfo | null): address is AddressInfo =>
    typeof address === "object";
  const address = server.address();
  if (address === null || !isNetwork(address)) throw new Error("the simulator does not listen");
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => void server.close(resolve));
  server.closeAllConnections();
  await closed;
}

async function answerRequest(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (parts.faults.down) return void request.socket.destroy();
  const { method = "", url = "/" } = request;
  const { pathname, searchParams } = new URL(url, "http://simulator");
  const found = findRoute(parts.routes, method, pathname);
  if (found === undefined) {
    parts.problems.push(`unknown request: ${method} ${pathname}`);
    return await send(response, {
      status: 501,
      json: { errorCode: "UNKNOWN_TO_SIMULATOR", message: pathname },
    });
  }
  const call: Call = {
    method,
    template: found.route.template,
    path: pathname,
    query: searchParams,
    accountId: found.params["accountId"] ?? null,
    at: parts.now(),
    status: null,
  };
  parts.calls.push(call);
  await answerCall(parts, request, response, { call, found });
}

async function answerCall(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  { call, found }: { call: Call; found: Found },
): Promise<void> {
  const { slowMs, fault, actions, cut } = parts.faults.befalling(call);
  if (cut === "before") return void request.socket.destroy();
  const away = parts.away(call);
  if (away === "hangs-up") return void request.socket.destroy();
  const body = await buffer(request);
  for (const action of actions) await action();
  if (fault === "hangs" || away === "hangs") return;
  // A slow answer that nobody waits for any more must not keep the process alive.
  if (slowMs + parts.latencyMs > 0) await setTimeout(slowMs + parts.latencyMs, undefined, { ref: false });
  const exchange = { call, params: found.params, headers: request.headers, body };
  const failure = fault ?? away;
  const answer = failure === null ? await handled(found.route, exchange) : failureAnswer(failure);
  call.status = answer.status;
  if (cut === "after") return void request.socket.destroy();
  await send(response, answer, answer.content === undefined ? undefined : parts.faults.nextDownloadFault());
}

async function handled(route: Route, exchange: Parameters<Route["handle"]>[0]): Promise<Answer> {
  try {
    return await route.handle(exchange);
  } catch (error) {
    if (!(error instanceof DocuSignError)) throw error;
    return { status: error.status, json: { errorCode: error.errorCode, message: error.message } };
  }
}

function failureAnswer({ status, body, html, headers = {} }: Failure): Answer {
  return { status, headers, ...(html === undefined ? { json: body } : { html }) };
}

async function send(response: ServerResponse, answer: Answer, fault?: DownloadFault): Promise<void> {
  if (answer.content !== undefined) return await sendContent(response, answer, fault);
  const text = answer.html ?? (answer.json === undefined ? "" : JSON.stringify(answer.json));
  const type = answer.html !== undefined ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(answer.status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(text),
    ...answer.headers,
  });
  response.end(text);
}

/** Large documents are made while they are sent, so that none of them ever lies in memory. */
async function sendContent(response: ServerResponse, answer: Answer, fault?: DownloadFault): Promise<void> {
  const content =
    fault?.kind === "replace" ? contentOf(fault.bytes) : (answer.content ?? contentOf(Buffer.alloc(0)));
  if (fault?.kind === "close") return await sendUntilClose(response, answer, fault.share);
  response.writeHead(answer.status, { ...answer.headers, "Content-Length": content.size });
  if (fault === undefined || fault.kind === "replace") {
    return await pipeline(Readable.from(content.chunks(), { objectMode: false }), response);
  }
  await sendFirst(response, content.chunks(), Math.floor(content.size / 2));
  if (fault.kind === "truncate") response.destroy();
}

/** As HTTP/1.0 did: neither a length nor chunks. */
async function sendUntilClose(
  response: ServerResponse,
  { status, headers, content = contentOf(Buffer.alloc(0)) }: Answer,
  share: "half" | "whole",
): Promise<void> {
  response.removeHeader("Transfer-Encoding");
  response.writeHead(status, { ...headers, Connection: "close" });
  await sendFirst(response, content.chunks(), share === "half" ? Math.floor(content.size / 2) : content.size);
  response.end();
}

async function sendFirst(response: ServerResponse, chunks: Iterable<Buffer>, bytes: number): Promise<void> {
  let left = bytes;
  for (const chunk of chunks) {
    const piece = chunk.subarray(0, left);
    await new Promise((resolve) => response.write(piece, resolve));
    left -= piece.length;
    if (left === 0) return;
  }
}
