import { hash } from "node:crypto";

/** One short text for what identifies a message at DocuSign. Parts may hold anything and be of any length. */
export function messageIdentity(format: string, parts: readonly (string | null)[]): string {
  return `${format}:${hash("sha256", JSON.stringify(parts), "base64url")}`;
}
