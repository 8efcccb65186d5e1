import { createHash, randomBytes } from "node:crypto";

/** 256 random bits as 43 characters. */
export function randomToken(): string {
  return randomBytes(32).toString("base64url");
}

/** True if the text has the form of a `randomToken`. */
export function isToken(text: string | null): text is string {
  return text !== null && /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** SHA-256. Random tokens are stored only as this hash. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}
