import { type Request, type Response, Router } from "express";
import { beginCheck, signatureHeaders } from "../docusign/connect/signature.ts";
import { type LinkId, parseUuid } from "../domain/identifiers.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Uses } from "../usecases/capabilities.ts";
import { receiveEvent, unsigned } from "../usecases/receiving/receive-event.ts";
import { BODY_LIMITS, type BodyLimits, readBody } from "./connect-body.ts";
import { type ConnectMemory, createConnectMemory } from "./connect-memory.ts";
import { createRounds, type Rounds } from "./connect-rounds.ts";
import { RequestFault } from "./request-fault.ts";
import { leaveUnread } from "./unread-body.ts";

type Deps = Uses<"hmacKeys" | "importTiming" | "metrics" | "now" | "recorder"> & {
  /** Bounds the bytes of messages that are being received. */
  readonly receiverMemory: number;
  /** Returns true if the link exists and has not ended. */
  readonly hasLink: (linkId: LinkId) => Promise<boolean>;
  readonly limits?: BodyLimits;
};

/**
 * `POST /connect/{linkId}`: receives events from DocuSign Connect (service.md). The body is read as raw bytes, since
 * the signature covers exactly these bytes. Compressed bodies are refused for the same reason.
 */
export function connectRoutes(deps: Deps): Router {
  const router = Router();
  const shared = { memory: createConnectMemory(deps.receiverMemory), rounds: createRounds() };
  router.post("/connect/:linkId", async (request, response) => {
    try {
      const linkId = readLinkId(request);
      answer(response, ANSWERS[await receive(deps, shared, { request, linkId })]);
    } catch (error) {
      leaveUnread(request, response);
      throw error;
    }
  });
  return router;
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

type Posted = { readonly request: Request; readonly linkId: LinkId };

/** Shared by all bodies of a process. */
type Shared = { readonly memory: ConnectMemory; readonly rounds: Rounds };

async function receive(deps: Deps, shared: Shared, posted: Posted): Promise<keyof typeof ANSWERS> {
  try {
    const recorded = await readAndRecord(deps, shared, posted);
    deps.metrics.eventReceived(recorded);
    return recorded;
  } catch (error) {
    deps.metrics.eventReceived(outcomeOf(error));
    if (error instanceof Refusal || error instanceof RequestFault) throw error;
    throw new Refusal("unavailable", "The event could not be recorded.", { cause: error });
  }
}

/** Also counts unreadable bodies, so that operators notice messages that are too large or slow. */
function outcomeOf(error: unknown): string {
  if (error instanceof Refusal) return error.code;
  if (!(error instanceof RequestFault)) return "unavailable";
  return OUTCOMES.get(error.status) ?? "unreadable";
}

const OUTCOMES: ReadonlyMap<number, string> = new Map([
  [408, "too-slow"],
  [413, "too-large"],
]);

async function readAndRecord(
  deps: Deps,
  shared: Shared,
  { request, linkId }: Posted,
): Promise<keyof typeof ANSWERS> {
  if (isCompressed(request)) throw new RequestFault(415, "The body is compressed.");
  const signature = beginCheck(deps.hmacKeys, signatureHeaders(request.headers));
  if (signature === null) throw unsigned();
  const { parts, release } = await readBody(request, {
    ...shared,
    limits: deps.limits ?? BODY_LIMITS,
    allowLarge: async () => await requireLink(deps, linkId),
    onPart: (part) => signature.update(part),
  });
  try {
    return await receiveEvent(deps, { linkId, parts, signature });
  } finally {
    release();
  }
}

function isCompressed({ headers }: Request): boolean {
  return (headers["content-encoding"] ?? "identity").toLowerCase() !== "identity";
}

async function requireLink({ hasLink }: Pick<Deps, "hasLink">, linkId: LinkId): Promise<void> {
  if (!(await hasLink(linkId))) throw new Refusal("gone", "The link does not exist or has ended.");
}
