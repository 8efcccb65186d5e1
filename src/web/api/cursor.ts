import { z } from "zod";

const MAX_TEXT = 1_000;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const PARTS = z.array(z.string().max(300)).min(1).max(8);

/** The key of the last row of a page as one opaque word for an address; at most 8 parts and 700 bytes in all. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts), "utf8").toString("base64url");
}

/** The parts that `encodeCursor` was given, or null where the text is no cursor; what the parts mean is still to be checked. */
export function decodeCursor(text: string): string[] | null {
  if (text.length > MAX_TEXT || !BASE64URL.test(text)) return null;
  const parts = PARTS.safeParse(parseJson(Buffer.from(text, "base64url").toString("utf8")));
  return parts.success ? parts.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
