import { hash } from "node:crypto";

/** A caller, and the `exp` of the token: seconds since 1970. */
export type Verified<Caller> = { readonly caller: Caller; readonly expiresAt: number };

export type TokenMemory<Caller> = {
  /** Returns the caller of a token that was verified a few seconds ago and has not expired. */
  find(token: string): Caller | null;
  keep(token: string, verified: Verified<Caller>): void;
};

/** Short: a key that the issuer withdraws is checked for this long. */
const KEEP_MS = 10_000;
const MOST = 10_000;

/**
 * Remembers verified tokens by their hash. A service repeats its token, and a signature costs more than the rest of a
 * request that is refused.
 */
export function createTokenMemory<Caller>(
  now: () => Date,
  elapsedMs: () => number = () => performance.now(),
): TokenMemory<Caller> {
  /** Oldest first. */
  const tokens = new Map<string, Verified<Caller> & { readonly until: number }>();
  return {
    find(token) {
      const known = tokens.get(keyOf(token));
      if (known === undefined || known.until < elapsedMs()) return null;
      return known.expiresAt > Math.floor(now().getTime() / 1_000) ? known.caller : null;
    },
    keep(token, verified) {
      const key = keyOf(token);
      tokens.delete(key);
      const [oldest] = tokens.keys();
      if (tokens.size >= MOST && oldest !== undefined) tokens.delete(oldest);
      tokens.set(key, { ...verified, until: elapsedMs() + KEEP_MS });
    },
  };
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64");
}
