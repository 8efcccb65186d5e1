import { z } from "zod";
import type { Envelope, EnvelopeDocument, Sender } from "../../domain/envelope.ts";
import { type EnvelopeId, parseUuid } from "../../domain/identifiers.ts";
import { DocuSignFault } from "../faults/faults.ts";
import {
  accountIdField,
  anyField,
  countField,
  isObject,
  rowsField,
  textField,
  userIdField,
} from "./fields.ts";
import { parseMoment } from "./moments.ts";
import { readParties } from "./parties.ts";
import { readGroupMembers, readRecipients } from "./recipients.ts";

const envelopeAnswer = z.object({
  envelopeId: z.string(),
  status: z.string().min(1),
  completedDateTime: textField,
  emailSubject: textField,
  purgeState: textField,
  envelopeLocation: textField,
  sender: anyField,
  recipients: anyField,
  envelopeDocuments: rowsField,
});

/**
 * Parses an envelope from DocuSign's API or a listing; unknown fields are ignored. A list that is missing, empty or has
 * an unreadable entry is null: a separate call returns each list reliably. Throws the fault `unreadable-answer` if the
 * id or the status is missing.
 */
export function readEnvelope(raw: unknown): Envelope {
  const answer = parseAnswer(envelopeAnswer, raw);
  const id = parseUuid<EnvelopeId>(answer.envelopeId);
  if (id === null) throw unreadableAnswer();
  return {
    id,
    status: answer.status.toLowerCase(),
    completedAt: parseMoment(answer.completedDateTime, 0),
    subject: answer.emailSubject,
    sender: readSender(answer.sender),
    recipients: unlessEmpty(readRecipients(answer.recipients)),
    groupMembers: readGroupMembers(answer.recipients),
    parties: readParties(answer),
    documents: unlessEmpty(unlessUnreadable(() => answer.envelopeDocuments?.map(readDocument) ?? null)),
    purgeState: answer.purgeState?.toLowerCase() ?? null,
    isOnAnotherSite: !HERE.has(answer.envelopeLocation?.toLowerCase() ?? ""),
  };
}

/** Listings may not specify the location. Other values are not documented. */
const HERE: ReadonlySet<string> = new Set(["", "current_site", "not_specified"]);

const documentsAnswer = z.object({ envelopeDocuments: rowsField });

/** Parses the answer of `GET …/documents`. Returns null if it contains no list. */
export function readDocuments(raw: unknown): readonly EnvelopeDocument[] | null {
  return parseAnswer(documentsAnswer, raw).envelopeDocuments?.map(readDocument) ?? null;
}

/** Parses DocuSign's answer. A mismatch is a transient fault, since proxies in front of DocuSign cause it. */
export function parseAnswer<T>(schema: z.ZodType<T>, raw: unknown): T {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw unreadableAnswer();
  return parsed.data;
}

function unlessEmpty<T>(list: readonly T[] | null): readonly T[] | null {
  return list?.length === 0 ? null : list;
}

/** Returns what the reader returns; null if it cannot parse the value. */
export function unlessUnreadable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DocuSignFault) return null;
    throw error;
  }
}

/** The fault of answers without usable content. */
export function unreadableAnswer(): DocuSignFault {
  return new DocuSignFault("later", "unreadable-answer");
}

const senderField = z.object({ userId: userIdField, email: textField, accountId: accountIdField });

function readSender(raw: unknown): Sender {
  return senderField.parse(isObject(raw) ? raw : {});
}

const documentRow = z.object({
  documentId: textField.pipe(z.string()),
  documentIdGuid: textField,
  name: textField,
  type: textField,
  pages: anyField,
});

/** A number or a list of pages. An empty list means that the pages are unknown. */
function readPages(raw: unknown): number | null {
  return (Array.isArray(raw) ? raw.length : countField.parse(raw)) || null;
}

function readDocument(raw: unknown): EnvelopeDocument {
  const row = parseAnswer(documentRow, raw);
  return {
    documentId: row.documentId,
    documentGuid: row.documentIdGuid,
    name: row.name ?? row.documentId,
    type: row.type?.toLowerCase() ?? (row.documentId === "certificate" ? "summary" : "content"),
    pages: readPages(row.pages),
  };
}
