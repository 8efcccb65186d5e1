import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { parse as parseRange } from "range-parser";
import { z } from "zod";
import type { ByteRange } from "../../documents/documents.ts";
import { downloadName } from "../../domain/contract.ts";
import { Refusal } from "../../domain/refusal.ts";
import { findCertificate } from "../../store/contracts/certificates.ts";
import type { StoredContract } from "../../store/contracts/contracts.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import type { Caller } from "../auth/tokens.ts";
import { RequestFault } from "../request-fault.ts";
import { contentDisposition } from "./content-disposition.ts";
import { CONTRACT_ID, getContract } from "./contracts.ts";
import {
  type ApiUses,
  type Endpoint,
  type EndpointCall,
  endpointOfAllTenants,
  NO_BODY,
  NO_PARAMETERS,
} from "./endpoint.ts";

const FILE_NAME = z
  .string()
  .meta({ header: { description: "File name for saving the document (RFC 6266)." } });

const ANSWER = {
  status: 200,
  schema: null,
  mediaType: "application/pdf",
  headers: { "Content-Disposition": FILE_NAME },
  inRanges: true,
} as const;

const DOCUMENT = {
  method: "get",
  tag: "Contracts",
  scopes: ["contracts:read"],
  params: CONTRACT_ID,
  query: NO_PARAMETERS,
  body: NO_BODY,
} as const;

export const documentEndpoint: Endpoint = endpointOfAllTenants(
  {
    ...DOCUMENT,
    id: "getContractDocument",
    path: "/v1/contracts/{id}/document",
    summary: "Download the PDF of a contract",
    description:
      "Streams the document. `Range` requests a part, for example to resume an interrupted download.",
    answer: { ...ANSWER, description: "The PDF." },
    problems: { 404: "The contract does not exist or was deleted." },
  },
  async (deps, call) => {
    const find = async (): Promise<PdfFile> => {
      const {
        id,
        tenant,
        documentKey: key,
        bytes,
        sha256,
        fileName,
      } = await getContract(deps, call.caller.tenant, call.params.id);
      return { id, tenant, key, bytes, sha256, name: downloadName(fileName) };
    };
    await sendPdf(deps, call, find);
  },
);

export const certificateEndpoint: Endpoint = endpointOfAllTenants(
  {
    ...DOCUMENT,
    id: "getContractCertificate",
    path: "/v1/contracts/{id}/certificate",
    summary: "Download the certificate of completion",
    description: "Streams DocuSign's certificate of the contract's envelope, like the document.",
    answer: { ...ANSWER, description: "The PDF." },
    problems: { 404: "The contract does not exist, was deleted, or has no certificate." },
  },
  async (deps, call) => {
    const find = async (): Promise<PdfFile> => {
      const { id, tenant, source } = await getContract(deps, call.caller.tenant, call.params.id);
      const found = await findCertificate(deps.db, tenant, source.envelopeId);
      if (found === null) throw new Refusal("not-found", "The contract has no certificate.");
      return { id, tenant, ...found, name: `Certificate-${source.envelopeId}.pdf` };
    };
    await sendPdf(deps, call, find);
  },
);

/** A PDF in the document store, and the contract that it belongs to. */
type PdfFile = Pick<StoredContract, "id" | "tenant" | "bytes" | "sha256"> & {
  readonly key: string;
  /** With `.pdf`. */
  readonly name: string;
};

/** Answers with the PDF that `find` returns, or a part of it, or that it has not changed. */
async function sendPdf(
  deps: ApiUses,
  {
    caller,
    request,
    response,
  }: Pick<EndpointCall<unknown, unknown, unknown, Caller>, "caller" | "request" | "response">,
  find: () => Promise<PdfFile>,
): Promise<void> {
  const found = await find();
  response.set({ ETag: `"${found.sha256}"`, "Accept-Ranges": "bytes" });
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const range = chooseRange(request, response, found);
  logServiceRead(deps, caller, found);
  if (request.method === "HEAD") {
    describe(response, found, null);
    response.end();
    return;
  }
  await send(deps, response, { found, range, find });
}

/** Service tokens read all tenants' documents, so each reading leaves a trace. */
function logServiceRead(
  { log }: Pick<ApiUses, "log">,
  { tenant: own, subject }: Caller,
  { id, tenant }: Pick<StoredContract, "id" | "tenant">,
): void {
  if (own === null) log.info({ subject, tenant, contractId: id }, "a service token reads a document");
}

/** Honours `Range` only if `If-Range` is absent or matches the document's ETag (RFC 9110 13.1.5). */
function chooseRange(request: Request, response: Response, { bytes, sha256 }: PdfFile): ByteRange | null {
  const condition = request.headers["if-range"];
  if (request.method !== "GET" || (condition !== undefined && condition !== `"${sha256}"`)) return null;
  const range = readRange(request.headers.range, bytes);
  if (range !== "beyond") return range;
  response.set("Content-Range", `bytes */${bytes}`);
  throw new RequestFault(416, "range not satisfiable");
}

/** range-parser's code for a range that starts after the end. */
const UNSATISFIABLE = 2;

/**
 * Parses `Range` for a document of `size` bytes. Returns null, which means the whole document, if the range is missing,
 * malformed, not in bytes, or one of several.
 */
function readRange(header: string | undefined, size: number): ByteRange | "beyond" | null {
  const { type, code, ranges } = parseRange(size, header ?? "");
  const [range] = ranges;
  if (type !== "bytes") return null;
  if (range === undefined) return code === UNSATISFIABLE ? "beyond" : null;
  return code === 0 && ranges.length === 1 ? { first: range.start, last: range.end } : null;
}

async function send(
  deps: Uses<"db" | "documents">,
  response: Response,
  { found, range, find }: { found: PdfFile; range: ByteRange | null; find: () => Promise<PdfFile> },
): Promise<void> {
  const document = await deps.documents.open(found.key, range ?? undefined);
  if (document === null) {
    response.removeHeader("ETag");
    // If the contract was deleted in the meantime, its document is erased: answer 404.
    await find();
    throw new Error(`the document store has no document ${found.key}`);
  }
  if (response.headersSent || response.destroyed) {
    document.destroy();
    return;
  }
  describe(response, found, range);
  await stream(document, response, lengthOf(found, range));
}

function describe(response: Response, found: PdfFile, range: ByteRange | null): void {
  response.status(range === null ? 200 : 206).set({
    "Content-Type": "application/pdf",
    "Content-Length": String(lengthOf(found, range)),
    "Content-Disposition": contentDisposition(found.name),
    "X-Content-Type-Options": "nosniff",
    ...(range !== null && { "Content-Range": `bytes ${range.first}-${range.last}/${found.bytes}` }),
  });
}

function lengthOf(found: PdfFile, range: ByteRange | null): number {
  return range === null ? found.bytes : range.last - range.first + 1;
}

/** Streams the document. Ignores readers that disconnect; throws if the length differs from the recorded one. */
async function stream(document: Readable, response: Response, length: number): Promise<void> {
  try {
    await pipeline(document, (source: AsyncIterable<Uint8Array>) => exactly(source, length), response);
  } catch (error) {
    if (!isPrematureClose(error)) throw error;
  }
}

async function* exactly(source: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of source) {
    left -= chunk.byteLength;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error("the stored document's length differs from the recorded length");
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
