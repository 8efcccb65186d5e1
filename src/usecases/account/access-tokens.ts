import { setTimeout as sleep } from "node:timers/promises";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import { isUnavailable } from "../../store/database-errors.ts";
import { findTokens, type LinkTokens, lockTokens, storeTokens } from "../../store/links/link-tokens.ts";
import { UnopenedSecret } from "../../store/links/vault.ts";
import type { Uses } from "../capabilities.ts";
import { toLinkTokens } from "./link-tokens.ts";

export type AccessTokens = {
  /**
   * An access token of the link; with `stale`, another one than that, which DocuSign refused. However many ask
   * at once, in whatever process, DocuSign is asked once. Throws a fault `authorization-gone` where the link has
   * ended, DocuSign takes the authorisation for gone, or no key opens what is stored of it.
   */
  get(linkId: LinkId, stale?: string): Promise<string>;
};

/** Also what this process has said of keys already: thousands of links may be sealed with the one that is lost. */
type Renewing = Uses<"db" | "log" | "now" | "oauth" | "vault"> & { readonly told: Set<string> };

/** A token that is about to expire may do so on its way to DocuSign. */
const SPARE_MS = 5 * 60 * 1000;

/** Access tokens from stored, encrypted refresh tokens (design decision 18). */
export function createAccessTokens(uses: Uses<"db" | "log" | "now" | "oauth" | "vault">): AccessTokens {
  const deps: Renewing = { ...uses, told: new Set() };
  const underWay = new Map<LinkId, Promise<string>>();
  return {
    async get(linkId, stale) {
      const stored = await opened(deps, linkId, findTokens(deps.db, deps.vault, linkId));
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
 * Tokens that no key opens are as good as revoked: a new login mends the link, and so does the key that is put back,
 * as each hour asks once. That it is the key, and none of the customers, is for operators to read.
 */
async function opened(
  { log, told }: Renewing,
  linkId: LinkId,
  reading: Promise<LinkTokens | null>,
): Promise<LinkTokens | null> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof UnopenedSecret)) throw error;
    if (!told.has(error.message)) log.error({ err: error, linkId }, "a link's tokens cannot be opened");
    told.add(error.message);
    throw new DocuSignFault("authorization-gone", "tokens-sealed", { refused: "tokens" });
  }
}

async function renew(deps: Renewing, linkId: LinkId, stale: string | undefined): Promise<string> {
  const handedOut: Renewal[] = [];
  try {
    return await replaceTokens(deps, linkId, async (stored) => {
      if (isUsable(stored, stale, deps.now())) return null;
      const tokens = toLinkTokens(await deps.oauth.refresh(stored.refreshToken), deps.now());
      handedOut.push({ used: stored.refreshToken, tokens });
      return tokens;
    });
  } catch (error) {
    const [renewal] = handedOut;
    if (renewal === undefined) throw error;
    return await keep(deps, linkId, renewal);
  }
}

/**
 * Stores the tokens that are found for the link in place of those it has; where none are, it keeps those. Holds the
 * link's row meanwhile, so that other processes wait and then find the new ones. Gives the access token it then has.
 */
async function replaceTokens(
  deps: Renewing,
  linkId: LinkId,
  find: (stored: LinkTokens) => Promise<LinkTokens | null>,
): Promise<string> {
  return await deps.db.transaction().execute(async (tx) => {
    const stored = await opened(deps, linkId, lockTokens(tx, deps.vault, linkId));
    if (stored === null) throw new DocuSignFault("authorization-gone", "link-ended", { refused: "tokens" });
    const tokens = await find(stored);
    if (tokens === null) return stored.accessToken;
    await storeTokens(tx, deps.vault, { linkId, tokens, now: deps.now() });
    return tokens.accessToken;
  });
}

/** DocuSign may take the `used` refresh token no more: only these tokens keep the link's authorisation. */
type Renewal = { readonly used: string; readonly tokens: LinkTokens };

const KEEP_EVERY_MS = 250;
/** Five minutes in all: longer than a database is away while another takes its place. */
const KEEP_ATTEMPTS = 1_200;

/**
 * Stores tokens whose own transaction was lost, as soon as the database is back; in place of those they were
 * handed out for, and no others. Gives the access token that the link then has.
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

function isUsable(tokens: LinkTokens, stale: string | undefined, now: Date): boolean {
  return tokens.accessToken !== stale && tokens.accessExpiresAt.getTime() - SPARE_MS > now.getTime();
}
