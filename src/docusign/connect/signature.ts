import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const SIGNATURE_NAME = /^x-docusign-signature-[1-9]\d*$/i;
const DIGEST_BASE64 = /^[A-Za-z0-9+/]{43}=$/;
/** The number of keys that an account may have. More headers could only be meant to cost time. */
const MAX_SIGNATURES = 100;

/** Verifies a body that arrives in parts. */
export type SignatureCheck = {
  update(part: Uint8Array): void;
  /**
   * Ends the check. Returns true if any signature is the base64 HMAC-SHA256 of the raw body under any key. Comparison
   * takes constant time.
   */
  holds(): boolean;
};

/**
 * Begins to verify a body. Keys are used as text, not decoded. A signature of a different length or alphabet never
 * matches; returns null if there is no other, so that the body need not be read. An empty key matches nothing.
 */
export function beginCheck(keys: readonly string[], signatures: readonly string[]): SignatureCheck | null {
  const digests = signatures.map(decodeDigest).filter((digest) => digest !== null);
  if (digests.length === 0) return null;
  const hashes = keys.filter((key) => key !== "").map((key) => createHmac("sha256", key));
  return {
    update(part) {
      for (const hash of hashes) hash.update(part);
    },
    holds: () =>
      hashes
        .map((hash) => hash.digest())
        .some((expected) => digests.some((digest) => timingSafeEqual(digest, expected))),
  };
}

/** Verifies a body as `beginCheck` does. */
export function isSignedByAny(
  keys: readonly string[],
  body: Uint8Array,
  signatures: readonly string[],
): boolean {
  const check = beginCheck(keys, signatures);
  check?.update(body);
  return check?.holds() === true;
}

/** Returns the values of all `X-DocuSign-Signature-N` headers, at most 100. N does not identify a key: DocuSign renumbers. */
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
  // The last digit has two unused bits; only zeros are canonical.
  return digest.toString("base64") === signature ? digest : null;
}
