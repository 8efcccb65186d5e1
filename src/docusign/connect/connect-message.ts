import { readConnectJson } from "./connect-json.ts";
import { readConnectXml } from "./connect-xml.ts";
import type { ConnectMessage } from "./message-identity.ts";

/**
 * Reads a body whose signature has been proved; null where it is neither Connect JSON nor Connect XML. The first
 * character decides, and the bytes are UTF-8, whatever an XML declaration says.
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

/** Keeps nothing between two bodies, and making one takes longer than its work. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(body: Uint8Array): string | null {
  try {
    return UTF8.decode(body);
  } catch {
    return null;
  }
}
