import { z } from "zod";

const MAX_TEXT = 1_000;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const PARTS = z.array(z.string().max(300)).min(1).max(8);

/** Encodes the sort key of a page's last row as an opaque cursor. At most 8 parts and 700 bytes in total. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts), "utf8").toString("base64url");
}

/** Decodes a cursor into its parts. Returns null if the text is not a cursor. The caller must validate the parts. */
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
