import { readConnectJson } from "./connect-json.ts";
import { readConnectXml } from "./connect-xml.ts";
import type { ConnectMessage } from "./message-identity.ts";

/**
 * Reads a body whose signature is verified. Returns null if it is neither Connect JSON nor Connect XML. The first
 * character decides. The bytes are UTF-8, whatever an XML declaration says.
 */
export function parseConnectMessage(body: Uint8Array): ConnectMessage | null {
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

/** Stateless between bodies; creating a decoder takes longer than using it. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(body: Uint8Array): string | null {
  try {
    return UTF8.decode(body);
  } catch {
    return null;
  }
}
