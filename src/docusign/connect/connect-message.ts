import type { Forwarding } from "../../domain/envelope.ts";
import type { AccountId, EnvelopeId } from "../../domain/identifiers.ts";
import { readConnectJson } from "./connect-json.ts";
import { readConnectXml } from "./connect-xml.ts";

/** What a message from DocuSign Connect tells, whatever its format. A hint: the API is the truth. */
export type ConnectMessage = {
  readonly format: "json-sim" | "json-aggregate" | "xml";
  /** DocuSign's newer names, for the older formats too: `envelope-completed`, `recipient-reassign`, … */
  readonly event: string;
  /** Null where the message is about something other than an envelope. */
  readonly envelopeId: EnvelopeId | null;
  /** The account whose configuration sent it; the older formats don't tell. */
  readonly accountId: AccountId | null;
  readonly configurationId: string | null;
  readonly generatedAt: Date | null;
  /** The same for a message and its retries, different for any other message of the same link. */
  readonly identity: string;
  readonly forwardings: readonly Forwarding[];
};

/**
 * Reads a body whose signature has been proved; null where it is neither Connect JSON nor Connect XML. The content
 * decides, not the header, and the bytes are UTF-8, whatever an XML declaration says.
 */
export function parseConnectMessage(
  body: Uint8Array,
  _contentType: string | undefined,
): ConnectMessage | null {
  const text = decodeUtf8(body);
  switch (text?.charAt(text.search(/\S/))) {
    case "{":
      return readConnectJson(text);
    case "<":
      return readConnectXml(text);
    default:
      return null;
  }
}

/** Keeps nothing between two bodies, and making one takes longer than its work. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(body: Uint8Array): string | null {
  try {
    return UTF8.decode(body);
  } catch {
    return null;
  }
}
