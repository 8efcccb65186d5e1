import express, { type Request, type RequestHandler, type Response, Router } from "express";
import { signatureHeaders } from "../docusign/connect/signature.ts";
import { type LinkId, parseUuid } from "../domain/identifiers.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Uses } from "../usecases/capabilities.ts";
import { receiveEvent } from "../usecases/receiving/receive-event.ts";

type Deps = Uses<"hmacKeys" | "importTiming" | "metrics" | "now" | "recorder">;

/** Messages that include documents are large. DocuSign requires listeners to accept 25 MB and more. */
const LARGEST_BODY = "32mb";

/**
 * `POST /connect/{linkId}`: receives events from DocuSign Connect (service.md). The body is read as raw bytes, since
 * the signature covers exactly these bytes. Compressed bodies are refused for the same reason.
 */
export function connectRoutes(deps: Deps): Router {
  const router = Router();
  router.post("/connect/:linkId", requireLinkId, bodyReader(deps), async (request, response) => {
    await answerEvent(deps, request, response);
  });
  return router;
}

/** Also counts unreadable bodies, so that operators notice messages that are too large. */
function bodyReader({ metrics }: Uses<"metrics">): RequestHandler {
  const rawBody = express.raw({ type: () => true, limit: LARGEST_BODY, inflate: false });
  return (request, response, next) => {
    rawBody(request, response, (error?: unknown) => {
      if (error !== undefined) metrics.eventReceived(isTooLarge(error) ? "too-large" : "unreadable");
      next(error);
    });
  };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "status" in error && error.status === 413;
}

function requireLinkId(request: Request, _response: Response, next: () => void): void {
  readLinkId(request);
  next();
}

function readLinkId(request: Request): LinkId {
  const linkId = parseUuid<LinkId>(request.params["linkId"]);
  if (linkId === null) throw new Refusal("not-found", "Address not found.");
  return linkId;
}

/** Serialized once: `response.json` would add an ETag and take a tenth of the receiver's time. */
const ANSWERS = {
  recorded: JSON.stringify({ result: "recorded" }),
  foreign: JSON.stringify({ result: "recorded" }),
  repeat: JSON.stringify({ result: "repeat" }),
};

function answer(response: Response, text: string): void {
  const headers = { "Content-Type": "application/json; charset=utf-8", "Content-Length": text.length };
  // A string leaves in one write together with the headers; a Buffer would need a second write.
  response.writeHead(200, headers).end(text);
}

async function answerEvent(deps: Deps, request: Request, response: Response): Promise<void> {
  try {
    const recorded = await receiveEvent(deps, {
      linkId: readLinkId(request),
      // Without a body there is nothing to parse, and express leaves it undefined.
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      signatures: signatureHeaders(request.headers),
    });
    deps.metrics.eventReceived(recorded);
    answer(response, ANSWERS[recorded]);
  } catch (error) {
    if (error instanceof Refusal) {
      deps.metrics.eventReceived(error.code);
      throw error;
    }
    deps.metrics.eventReceived("unavailable");
    throw new Refusal("unavailable", "The event could not be recorded.", { cause: error });
  }
}
