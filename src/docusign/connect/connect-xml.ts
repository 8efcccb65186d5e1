import { XMLParser, XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import { type EnvelopeId, parseUuid } from "../../domain/identifiers.ts";
import { parseMoment } from "../wire/moments.ts";
import { type ConnectMessage, messageIdentity } from "./message-identity.ts";

/** Reads legacy Connect XML in any namespace and order of elements. Returns null for anything else. */
export function readConnectXml(text: string): ConnectMessage | null {
  const body = informationXml.safeParse(parseXml(text)).data?.DocuSignEnvelopeInformation;
  const envelopeId = parseUuid<EnvelopeId>(body?.EnvelopeStatus.EnvelopeID);
  if (body === undefined || envelopeId === null) return null;
  const { Status: status, TimeGenerated: timeGenerated } = body.EnvelopeStatus;
  return {
    format: "xml",
    event: `envelope-${status}`,
    envelopeId,
    // At most the custom fields hold the short numeric form.
    accountId: null,
    configurationId: null,
    generatedAt: parseMoment(timeGenerated, body.TimeZoneOffset),
    identity: messageIdentity("xml", [envelopeId, status, timeGenerated]),
    forwardings: [],
  };
}

const informationXml = z.strictObject({
  DocuSignEnvelopeInformation: z.object({
    EnvelopeStatus: z.object({
      EnvelopeID: z.string(),
      Status: z
        .string()
        .regex(/^[a-z]{1,40}$/i)
        .toLowerCase(),
      TimeGenerated: z.string().nullable().default(null),
    }),
    // Whole hours that include daylight saving time; the name of the zone does not.
    TimeZoneOffset: z
      .string()
      .regex(/^[+-]?\d{1,2}$/)
      .transform(Number)
      .nullable()
      .default(null)
      .catch(null),
  }),
});

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  maxNestedTags: 20,
  // Large, and not needed.
  stopNodes: ["RecipientStatuses", "DocumentStatuses", "CustomFields", "DocumentPDFs"].map(
    (tag) => `*.${tag}`,
  ),
});

/** Enough for the envelope with the most recipients and tabs, without documents. */
const MAX_LENGTH = 8 * 1024 * 1024;

/** Parses the document. Returns null if it is malformed, too deep or too long, or contains a DTD. */
function parseXml(text: string): unknown {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return null;
  const xml = withoutLongTexts(text);
  if (xml.length > MAX_LENGTH || XMLValidator.validate(xml) !== true) return null;
  try {
    return parser.parse(xml);
  } catch {
    return null;
  }
}

/** Longer texts in a Connect message are the base64 of documents and attachments. */
const LONG_TEXT = 4_096;

/**
 * Removes long texts: parsing 32 MiB of base64 takes seconds and gigabytes, skipping it takes milliseconds. CDATA
 * sections are kept.
 */
function withoutLongTexts(xml: string): string {
  if (xml.length <= LONG_TEXT) return xml;
  const parts: string[] = [];
  for (let at = 0; at < xml.length; ) {
    const open = indexOrEnd(xml, "<", at);
    const close = indexOrEnd(xml, ">", open) + 1;
    const text = xml.slice(at, open);
    const isEmptied = text.length > LONG_TEXT && !text.includes("]]>");
    parts.push(isEmptied ? xml.slice(open, close) : xml.slice(at, close));
    at = close;
  }
  return parts.join("");
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}
