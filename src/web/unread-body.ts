import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "express";
import { RequestFault } from "./request-fault.ts";

/** Time for the client to read the answer before the connection is reset. */
const LINGER_MS = 1_000;

/**
 * Lets the answer that follows end the connection without the rest of the request's body being read. Node would read
 * and discard it. Closing at once would reset the connection, and a client that still sends might never see the answer.
 */
export function leaveUnread(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || response.headersSent) return;
  response.setHeader("Connection", "close");
  // Node discards the bodies of requests that were never read from.
  request.read(0);
  request.pause();
  const { socket } = request;
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}

/** Refuses bodies that are not complete in time. */
export function requireBodyWithin(milliseconds: number): RequestHandler {
  return (request, response, next) => {
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (length !== undefined || encoding !== undefined) {
      const late = setTimeout(() => {
        leaveUnread(request, response);
        next(new RequestFault(408, "The body arrives too slowly."));
      }, milliseconds);
      request.once("close", () => clearTimeout(late));
    }
    next();
  };
}
