import type { EnvelopeId } from "../../domain/identifiers.ts";
import { faultOfAnswer, faultOfSilence, isHtml } from "../faults/answer-faults.ts";
import { DocuSignFault } from "../faults/faults.ts";
import { type CallSettings, reported, withFreshToken } from "./calls.ts";
import { pathSegment } from "./path-segment.ts";
import { asPdf, untilEndMark } from "./pdf.ts";
import { startTimeLimits, type TimeLimits } from "./time-limits.ts";

export type DownloadOptions = { readonly signal?: AbortSignal };

/**
 * Streams one document as PDF. The stream fails with a `DocuSignFault` if it stalls or takes too long (`timeout`), ends
 * early (`truncated`), is empty, or is not a PDF. If the answer does not announce its end, a missing PDF end marker counts
 * as truncated. Redirects within DocuSign's origin are followed. If the caller aborts, the stream fails with the caller's reason. The connection is closed in every case:
 * DocuSign counts open downloads and blocks further ones.
 */
export async function downloadDocument(
  settings: CallSettings,
  envelopeId: EnvelopeId,
  documentId: string,
  options: DownloadOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const path = `accounts/${settings.accountId}/envelopes/${envelopeId}/documents/${pathSegment(documentId)}`;
  const url = `${settings.site.baseUri}/restapi/v2.1/${path}`;
  const signal = options.signal ?? settings.signal;
  return withFreshToken(settings.accessToken, async (token) => {
    const limits = startTimeLimits(settings.timeoutMs, settings.downloadTimeoutMs, signal);
    try {
      const response = await reported(settings, () => request(url, token, limits));
      const body = await bodyOf(response, limits, settings.now());
      const pieces = piecesOf(body, lengthOf(response.headers), limits);
      return asPdf(announcesEnd(response.headers) ? pieces : untilEndMark(pieces));
    } catch (error) {
      limits.end();
      signal.throwIfAborted();
      throw error;
    }
  });
}

function request(url: string, token: string, limits: TimeLimits): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: "application/pdf",
    // A compressed answer would announce its compressed length, which the stream does not show.
    "accept-encoding": "identity",
  };
  return limits.wait(fetchWithin(new URL(url), { headers, signal: limits.signal }));
}

const MOST_REDIRECTS = 3;

/** Follows redirects to the same origin only, so that no other host receives the token. Returns any other answer. */
async function fetchWithin(start: URL, init: RequestInit): Promise<Response> {
  let url = start;
  for (let followed = 0; ; followed += 1) {
    const response = await fetch(url, { ...init, redirect: "manual" });
    const next = redirectOf(response, url);
    if (next?.origin !== start.origin || followed === MOST_REDIRECTS) return response;
    await response.body?.cancel();
    url = next;
  }
}

function redirectOf({ status, headers }: Response, from: URL): URL | null {
  const location = headers.get("location");
  return REDIRECTS.has(status) && location !== null ? URL.parse(location, from.href) : null;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

async function bodyOf(
  response: Response,
  limits: TimeLimits,
  now: Date,
): Promise<ReadableStream<Uint8Array>> {
  const { status, headers } = response;
  if (status === 200 && !isHtml({ status, headers, body: undefined })) {
    if (response.body === null) throw new DocuSignFault("never", "empty-document");
    return response.body;
  }
  const body = await limits.wait(response.text()).catch((error: unknown) => {
    throw faultOfSilence(error);
  });
  throw faultOfAnswer({ status, headers, body }, now);
}

async function* piecesOf(
  body: ReadableStream<Uint8Array>,
  expected: number | null,
  limits: TimeLimits,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  let received = 0;
  try {
    for (;;) {
      const piece = await limits.wait(reader.read());
      if (piece.done) break;
      received += piece.value.byteLength;
      yield piece.value;
    }
  } catch {
    // An abort has its own reason; otherwise the connection broke.
    limits.signal.throwIfAborted();
    throw new DocuSignFault("later", "truncated");
  } finally {
    limits.end();
  }
  if (expected !== null && received !== expected) throw new DocuSignFault("later", "truncated");
}

/** True if a broken answer is detectable. Otherwise only the end of the connection ends the answer. */
function announcesEnd(headers: Headers): boolean {
  return headers.has("content-length") || headers.has("transfer-encoding");
}

/** Returns the announced length; null if there is none or it is that of a compressed form. */
function lengthOf(headers: Headers): number | null {
  const length = headers.get("content-length");
  const isPlain = (headers.get("content-encoding") ?? "identity") === "identity";
  return isPlain && length !== null && /^\d+$/.test(length) ? Number(length) : null;
}
