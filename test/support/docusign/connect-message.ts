import { createHmac } from "node:crypto";
import { envelopeAnswer } from "./envelope-answers.ts";
import { apiDate, messageDate } from "./formats.ts";
import type { DocuSignState, Envelope } from "./state.ts";

export type JsonMessageOptions = {
  event?: string;
  configurationId?: number;
  /** The account whose configuration it is; the sender's by default. */
  accountId?: string;
  /** The user that it is reported for; the sender by default. */
  userId?: string;
  generatedAt?: Date;
  retryCount?: number;
  /** The data that the configuration includes beyond the event: `recipients`, `documents`, … */
  includeData?: readonly string[];
  recipientId?: string;
  reassignedRecipientId?: string;
};

/** A Connect message in the current format. Without includeData there is no envelopeSummary at all. */
export function simMessage(
  state: DocuSignState,
  envelope: Envelope,
  options: JsonMessageOptions = {},
): Buffer {
  const accountId = options.accountId ?? envelope.accountId;
  const generatedAt = options.generatedAt ?? state.now();
  const { includeData = [], recipientId, reassignedRecipientId } = options;
  return json({
    event: options.event ?? "envelope-completed",
    apiVersion: "v2.1",
    uri: `/restapi/v2.1/accounts/${accountId}/envelopes/${envelope.envelopeId}`,
    retryCount: options.retryCount ?? 0,
    configurationId: options.configurationId ?? 10_363_315,
    generatedDateTime: apiDate(generatedAt),
    data: {
      accountId,
      userId: options.userId ?? envelope.senderId,
      ...(recipientId === undefined ? {} : { recipientId }),
      ...(reassignedRecipientId === undefined ? {} : { reassignedRecipientId }),
      envelopeId: envelope.envelopeId,
      ...(includeData.length === 0 ? {} : { envelopeSummary: envelopeSummary(state, envelope, includeData) }),
    },
  });
}

/** A Connect message in the older JSON format: the envelope itself, without a word about the event. */
export function aggregateMessage(
  state: DocuSignState,
  envelope: Envelope,
  options: Pick<JsonMessageOptions, "includeData"> = {},
): Buffer {
  return json(envelopeSummary(state, envelope, options.includeData ?? []));
}

/** The envelope inside a message. Documents, where asked for, bring their whole content in base64. */
function envelopeSummary(
  state: DocuSignState,
  envelope: Envelope,
  includeData: readonly string[],
): Record<string, unknown> {
  const include = { recipients: includeData.includes("recipients"), documents: false };
  const summary = envelopeAnswer(state, envelope, include, messageDate);
  if (!includeData.includes("documents")) return summary;
  const envelopeDocuments = envelope.documents.map((document, index) => ({
    documentId: document.documentId,
    documentIdGuid: document.documentIdGuid,
    name: document.name,
    type: document.type,
    uri: `/envelopes/${envelope.envelopeId}/documents/${document.documentId}`,
    order: String(index + 1),
    PDFBytes: Buffer.concat([...document.content.chunks()]).toString("base64"),
  }));
  return { ...summary, envelopeDocuments };
}

/** The signature headers of a body: one for each key, in the order of the keys; base64 of HMAC-SHA256 over the bytes. */
export function sign(body: Buffer, keys: readonly string[]): Record<string, string> {
  const signatures = keys.map((key, index) => [
    `X-DocuSign-Signature-${index + 1}`,
    createHmac("sha256", key).update(body).digest("base64"),
  ]);
  if (keys.length === 0) return {};
  return { "X-Authorization-Digest": "HMACSHA256", ...Object.fromEntries(signatures) };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
