import { z } from "zod";
import { type EnvelopeId, parseUuid } from "../../domain/identifiers.ts";
import { parseMoment } from "../wire/moments.ts";
import { type ConnectMessage, messageIdentity } from "./message-identity.ts";
import { scanXml, type Texts, type Wanted } from "./xml-scan.ts";

/** Reads legacy Connect XML in any namespace and order of elements. Returns null for anything else. */
export function readConnectXml(text: string): ConnectMessage | null {
  const texts = scanXml(text, INFORMATION, LIMITS);
  const body = texts === null ? undefined : information.safeParse(fieldsOf(texts)).data;
  const envelopeId = parseUuid<EnvelopeId>(body?.envelopeId);
  if (body === undefined || envelopeId === null) return null;
  const { status, timeGenerated, offset } = body;
  return {
    format: "xml",
    event: `envelope-${status}`,
    envelopeId,
    // At most the custom fields hold the short numeric form.
    accountId: null,
    configurationId: null,
    generatedAt: parseMoment(timeGenerated, offset),
    identity: messageIdentity("xml", [envelopeId, status, timeGenerated]),
    forwardings: [],
  };
}

const ENVELOPE_ID: Wanted = { name: "EnvelopeID", inside: [] };
const STATUS: Wanted = { name: "Status", inside: [] };
const TIME_GENERATED: Wanted = { name: "TimeGenerated", inside: [] };
const ENVELOPE: Wanted = { name: "EnvelopeStatus", inside: [ENVELOPE_ID, STATUS, TIME_GENERATED] };
const OFFSET: Wanted = { name: "TimeZoneOffset", inside: [] };
const INFORMATION: Wanted = { name: "DocuSignEnvelopeInformation", inside: [ENVELOPE, OFFSET] };

const LIMITS = {
  depth: 20,
  /** Enough for the envelope with the most recipients and tabs, without documents. */
  length: 8 * 1024 * 1024,
  /** Longer texts in a Connect message are the base64 of documents and attachments. */
  longText: 4_096,
};

/** A field is a text if its element occurs once and has no elements of its own, and undefined if it is missing. */
function fieldsOf(texts: Texts): Readonly<Record<string, unknown>> {
  const only = (wanted: Wanted): unknown => {
    const found = texts.get(wanted);
    return found?.length === 1 ? (found[0] ?? found) : found;
  };
  return {
    envelopes: texts.get(ENVELOPE)?.length,
    envelopeId: only(ENVELOPE_ID),
    status: only(STATUS),
    timeGenerated: only(TIME_GENERATED),
    offset: only(OFFSET),
  };
}

const information = z.object({
  envelopes: z.literal(1),
  envelopeId: z.string(),
  status: z
    .string()
    .regex(/^[a-z]{1,40}$/i)
    .toLowerCase(),
  timeGenerated: z.string().nullable().default(null),
  // Whole hours that include daylight saving time; the name of the zone does not.
  offset: z
    .string()
    .regex(/^[+-]?\d{1,2}$/)
    .transform(Number)
    .nullable()
    .default(null)
    .catch(null),
});
