import { isLoopback } from "../domain/loopback.ts";
import { readEncryptionKey } from "./encryption-keys.ts";
import { splitList } from "./fields.ts";

/** Checks for production. Each returns the problem with a value, or null. */

export function plainHttp(text: string): string | null {
  const parsed = URL.parse(text);
  if (parsed?.protocol !== "http:" || isLoopback(parsed.hostname)) return null;
  return "must be an https address in production, except on loopback";
}

export function plainOrigins(text: string): string | null {
  const isPlain = splitList(text).some((origin) => URL.parse(origin)?.protocol === "http:");
  return isPlain ? "must hold https origins only in production" : null;
}

const SHORTEST_KEY = 16;

export function shortKeys(text: string): string | null {
  const isShort = splitList(text).some((key) => key.length < SHORTEST_KEY);
  return isShort ? `must hold keys of at least ${SHORTEST_KEY} characters in production` : null;
}

/** Such as the zeros of an example. */
export function uniformKeys(text: string): string | null {
  const isUniform = splitList(text).some((entry) => new Set(readEncryptionKey(entry).key).size === 1);
  return isUniform ? "must hold random keys in production, not one byte repeated" : null;
}
