import type { EnvelopeId } from "../../domain/identifiers.ts";
import { faultOfAnswer, faultOfSilence, isHtml } from "../faults/answer-faults.ts";
import { DocuSignFault } from "../faults/faults.ts";
import { type CallSettings, reported, withFreshToken } from "./calls.ts";
import { asPdf, untilEndMark } from "./pdf.ts";
import { startTimeLimits, type TimeLimits } from "./time-limits.ts";

export type DownloadOptions = { readonly signal?: AbortSignal };

/**
 * Streams one document as PDF. The stream fails with a `DocuSignFault` where it stalls or lasts too long
 * (`timeout`), ends early (`truncated`; where the answer announces no end, without a PDF's), is empty or is no PDF,
 * and with the caller's reason where the caller aborts. However reading ends, the connection is closed: DocuSign counts downloads left open and blocks further
 * ones.
 */
export async function downloadDocument(
  settings: CallSettings,
  envelopeId: EnvelopeId,
  documentId: string,
  options: DownloadOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const path = `accounts/${settings.accountId}/envelopes/${envelopeId}/documents/${encodeURIComponent(documentId)}`;
  const url = `${settings.baseUri}/restapi/v2.1/${path}`;
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
    // A compressed answer would give its compressed length, of which the stream shows nothing.
    "accept-encoding": "identity",
  };
  return limits.wait(fetch(url, { headers, signal: limits.signal }));
}

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
    // An abort comes with its own reason; otherwise the connection broke in the middle.
    limits.signal.throwIfAborted();
    throw new DocuSignFault("later", "truncated");
  } finally {
    limits.end();
  }
  if (expected !== null && received !== expected) throw new DocuSignFault("later", "truncated");
}

/** Whether a break shows by itself: otherwise the connection's close is all that ends the answer, wherever it comes. */
function announcesEnd(headers: Headers): boolean {
  return headers.has("content-length") || headers.has("transfer-encoding");
}

/** The length that the answer announces; null where it does not, or announces that of a compressed form. */
function lengthOf(headers: Headers): number | null {
  const length = headers.get("content-length");
  const isPlain = (headers.get("content-encoding") ?? "identity") === "identity";
  return isPlain && length !== null && /^\d+$/.test(length) ? Number(length) : null;
}
