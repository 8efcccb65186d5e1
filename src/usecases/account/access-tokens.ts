import { setTimeout as sleep } from "node:timers/promises";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import { isUnavailable } from "../../store/database-errors.ts";
import {
  type AccessToken,
  findTokens,
  type LinkTokens,
  lockTokens,
  openAccessToken,
  storeTokens,
  type TokenRow,
} from "../../store/links/link-tokens.ts";
import { UnopenedSecret } from "../../store/links/vault.ts";
import type { Uses } from "../capabilities.ts";
import { toLinkTokens } from "./link-tokens.ts";

export type AccessTokens = {
  /**
   * Returns an access token of the link. Pass a token that DocuSign rejected as `stale` to force a refresh. Concurrent
   * callers share one refresh, also across processes.
   * Throws a fault `authorization-gone` if the link has ended, DocuSign reports the authorization as revoked, or no
   * key decrypts the stored tokens.
   */
  get(linkId: LinkId, stale?: string): Promise<string>;
  /**
   * Takes tokens that the caller has just read. `get` returns them until the result is disposed of, for a minute at most,
   * unless DocuSign rejects them. Tokens that are missing or that no key decrypts are left to `get`.
   */
  readonly prepare: (rows: readonly (TokenRow | null)[]) => Disposable;
};

/** `reported` holds the key errors that this process has logged: a lost key can affect thousands of links. */
type Renewing = Uses<"db" | "log" | "now" | "oauth" | "vault"> & { readonly reported: Set<string> };

/** A token this close to expiry counts as expired: it could expire on its way to DocuSign. */
const SPARE_MS = 5 * 60 * 1000;
/** Shorter than the spare time, so that a prepared token is still valid. */
const PREPARED_MS = 60 * 1000;

/** Gets access tokens with the stored, encrypted refresh tokens (design decision 18). */
export function createAccessTokens(uses: Uses<"db" | "log" | "now" | "oauth" | "vault">): AccessTokens {
  const deps: Renewing = { ...uses, reported: new Set() };
  const underWay = new Map<LinkId, Promise<string>>();
  const prepared = new Map<string, { readonly accessToken: string; readonly readAt: number }>();
  const isRecent = (readAt: number): boolean => Math.abs(deps.now().getTime() - readAt) < PREPARED_MS;
  return {
    prepare(rows) {
      const now = deps.now();
      const found = rows.filter((row) => row !== null);
      for (const row of found) {
        const token = openAccessToken(deps.vault, row);
        if (token !== null && isUsable(token, undefined, now))
          prepared.set(row.link_id, { accessToken: token.accessToken, readAt: now.getTime() });
      }
      return {
        [Symbol.dispose]: () => {
          for (const { link_id: linkId } of found) prepared.delete(linkId);
        },
      };
    },
    async get(linkId, stale) {
      const ready = prepared.get(linkId);
      if (ready !== undefined && stale === undefined && isRecent(ready.readAt)) return ready.accessToken;
      prepared.delete(linkId);
      const stored = await decrypted(deps, linkId, findTokens(deps.db, deps.vault, linkId));
      if (stored !== null && isUsable(stored, stale, deps.now())) return stored.accessToken;
      const running = underWay.get(linkId);
      if (running !== undefined) return await running;
      const renewal = renew(deps, linkId, stale).finally(() => underWay.delete(linkId));
      underWay.set(linkId, renewal);
      return await renewal;
    },
  };
}

/**
 * Treats tokens that no key decrypts as revoked. A new login repairs the link, and so does a restored key: each hourly
 * run tries once. The error log shows operators that a key is missing.
 */
async function decrypted(
  { log, reported }: Renewing,
  linkId: LinkId,
  reading: Promise<LinkTokens | null>,
): Promise<LinkTokens | null> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof UnopenedSecret)) throw error;
    if (!reported.has(error.message)) log.error({ err: error, linkId }, "link tokens cannot be decrypted");
    reported.add(error.message);
    throw new DocuSignFault("authorization-gone", "tokens-sealed", { refused: "tokens" });
  }
}

async function renew(deps: Renewing, linkId: LinkId, stale: string | undefined): Promise<string> {
  const refreshed: Renewal[] = [];
  try {
    return await replaceTokens(deps, linkId, async (stored) => {
      if (isUsable(stored, stale, deps.now())) return null;
      const tokens = toLinkTokens(await deps.oauth.refresh(stored.refreshToken), deps.now());
      refreshed.push({ used: stored.refreshToken, tokens });
      return tokens;
    });
  } catch (error) {
    const [renewal] = refreshed;
    if (renewal === undefined) throw error;
    return await keep(deps, linkId, renewal);
  }
}

/**
 * Replaces the link's tokens with those that `find` returns; null keeps them. Locks the link's row meanwhile, so that
 * other processes wait and then read the new tokens. Returns the access token that the link then has.
 */
async function replaceTokens(
  deps: Renewing,
  linkId: LinkId,
  find: (stored: LinkTokens) => Promise<LinkTokens | null>,
): Promise<string> {
  return await deps.db.transaction().execute(async (tx) => {
    const stored = await decrypted(deps, linkId, lockTokens(tx, deps.vault, linkId));
    if (stored === null) throw new DocuSignFault("authorization-gone", "link-ended", { refused: "tokens" });
    const tokens = await find(stored);
    if (tokens === null) return stored.accessToken;
    await storeTokens(tx, deps.vault, { linkId, tokens, now: deps.now() });
    return tokens.accessToken;
  });
}

/** DocuSign may reject the `used` refresh token from now on: losing `tokens` would lose the link's authorization. */
type Renewal = { readonly used: string; readonly tokens: LinkTokens };

const KEEP_EVERY_MS = 250;
/** Five minutes in total, longer than a database failover takes. */
const KEEP_ATTEMPTS = 1_200;

/**
 * Stores tokens whose transaction was lost, as soon as the database is back. Replaces only the tokens that they were
 * refreshed from. Returns the access token that the link then has.
 */
async function keep(deps: Renewing, linkId: LinkId, { used, tokens }: Renewal): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await replaceTokens(deps, linkId, async ({ refreshToken }) =>
        refreshToken === used ? tokens : null,
      );
    } catch (error) {
      if (attempt === KEEP_ATTEMPTS || !isUnavailable(error)) throw error;
      await sleep(KEEP_EVERY_MS);
    }
  }
}

function isUsable(tokens: AccessToken, stale: string | undefined, now: Date): boolean {
  return tokens.accessToken !== stale && tokens.accessExpiresAt.getTime() - SPARE_MS > now.getTime();
}
