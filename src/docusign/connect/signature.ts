import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const SIGNATURE_NAME = /^x-docusign-signature-[1-9]\d*$/i;
const DIGEST_BASE64 = /^[A-Za-z0-9+/]{43}=$/;
/** As many keys as an account may have; more headers can only be meant to cost us time. */
const MAX_SIGNATURES = 100;

/**
 * Whether any signature is the base64 HMAC-SHA256 of the raw body under any key. Keys are used as shown, not
 * decoded. In constant time; a signature of another length or alphabet is simply none. An empty key signs nothing.
 */
export function isSignedByAny(
  keys: readonly string[],
  body: Uint8Array,
  signatures: readonly string[],
): boolean {
  const digests = signatures.map(decodeDigest).filter((digest) => digest !== null);
  if (digests.length === 0) return false;
  return keys
    .filter((key) => key !== "")
    .map((key) => createHmac("sha256", key).update(body).digest())
    .some((expected) => digests.some((digest) => timingSafeEqual(digest, expected)));
}

/** The values of all `X-DocuSign-Signature-N` headers, at most 100. N is no key's name: DocuSign renumbers. */
export function signatureHeaders(headers: IncomingHttpHeaders): string[] {
  return Object.keys(headers)
    .filter((name) => SIGNATURE_NAME.test(name))
    .flatMap((name) => headers[name] ?? [])
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .slice(0, MAX_SIGNATURES);
}

function decodeDigest(signature: string): Buffer | null {
  if (!DIGEST_BASE64.test(signature)) return null;
  const digest = Buffer.from(signature, "base64");
  // The last digit carries two bits that mean nothing: only zeros are the one right way to write it.
  return digest.toString("base64") === signature ? digest : null;
}
