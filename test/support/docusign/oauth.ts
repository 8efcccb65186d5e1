import { createHash, randomBytes } from "node:crypto";
import { DocuSignError } from "./exchange.ts";
import type { DocuSignState, User } from "./state.ts";

const ACCESS_TOKEN_MS = 28_800_000;
const REFRESH_TOKEN_MS = 30 * 86_400_000;
/** DocuSign does not document the lifetime of a code; it must be used at once. */
const CODE_MS = 120_000;

type Grant = { readonly userId: string; readonly scopes: readonly string[]; dead: boolean };
type Code = { grant: Grant; challenge: string; redirectUri: string; expiresAt: number; used: boolean };
type RefreshToken = { grant: Grant; expiresAt: number; used: boolean };
type AccessToken = { grant: Grant; expiresAt: number };

export type TokenSet = { accessToken: string; refreshToken: string; scopes: readonly string[] };

export type OAuthVerbs = {
  /** Takes back what the user allowed: all their tokens die. */
  revokeConsent(user: User): void;
  /** Access tokens of the user are refused from now on; refreshing still works. */
  expireAccessTokens(user: User): void;
  /** Refresh tokens stay good after use; otherwise each works once. */
  keepOldRefreshTokens(): void;
  /** Codes from now on have this many characters: DocuSign names no limit. */
  lengthenCodes(length: number): void;
};

export type OAuth = OAuthVerbs & {
  /** A code for what the user has just allowed. */
  issueCode(
    user: User,
    request: { scopes: readonly string[]; challenge: string; redirectUri: string },
  ): string;
  /** Null if the code, the verifier, the address (where given) or the user does not fit. */
  exchangeCode(code: string, verifier: string, redirectUri: string | null): TokenSet | null;
  refresh(refreshToken: string): TokenSet | null;
  /** Returns the user of an access token. Unknown and expired tokens differ. */
  userOf(accessToken: string): User | "unknown" | "dead";
};

/** Codes and tokens as DocuSign issues them; their lives are measured by the state's clock. */
export function createOAuth(state: DocuSignState): OAuth {
  const codes = new Map<string, Code>();
  const refreshTokens = new Map<string, RefreshToken>();
  const accessTokens = new Map<string, AccessToken>();
  const settings = { keepOld: false, codeLength: 0 };
  const isAlive = (entry: { grant: Grant; expiresAt: number }): boolean =>
    entry.expiresAt > state.now().getTime() && !entry.grant.dead && isActive(state, entry.grant.userId);

  const issueTokens = (grant: Grant, refreshUntil: number): TokenSet => {
    const accessToken = secret();
    const refreshToken = secret();
    accessTokens.set(accessToken, { grant, expiresAt: state.now().getTime() + ACCESS_TOKEN_MS });
    refreshTokens.set(refreshToken, { grant, expiresAt: refreshUntil, used: false });
    return { accessToken, refreshToken, scopes: grant.scopes };
  };

  return {
    issueCode: (user, { scopes, challenge, redirectUri }) => {
      const code = secret().padEnd(settings.codeLength, "-");
      const grant = { userId: user.userId, scopes, dead: false };
      codes.set(code, {
        grant,
        challenge,
        redirectUri,
        expiresAt: state.now().getTime() + CODE_MS,
        used: false,
      });
      return code;
    },
    exchangeCode: (code, verifier, redirectUri) => {
      const entry = codes.get(code);
      if (entry === undefined || entry.used || !isAlive(entry)) return null;
      entry.used = true;
      if (
        challengeOf(verifier) !== entry.challenge ||
        (redirectUri ?? entry.redirectUri) !== entry.redirectUri
      )
        return null;
      return issueTokens(entry.grant, state.now().getTime() + REFRESH_TOKEN_MS);
    },
    refresh: (refreshToken) => {
      const entry = refreshTokens.get(refreshToken);
      if (entry === undefined || (entry.used && !settings.keepOld) || !isAlive(entry)) return null;
      entry.used = true;
      // Without `extended` the thirty days are counted from the login, whatever is refreshed in between.
      const extended = entry.grant.scopes.includes("extended");
      return issueTokens(entry.grant, extended ? state.now().getTime() + REFRESH_TOKEN_MS : entry.expiresAt);
    },
    userOf: (accessToken) => {
      const entry = accessTokens.get(accessToken);
      if (entry === undefined) return "unknown";
      return isAlive(entry) ? knownUser(state, entry.grant.userId) : "dead";
    },
    revokeConsent: (user) => {
      for (const { grant } of [...codes.values(), ...refreshTokens.values(), ...accessTokens.values()]) {
        if (grant.userId === user.userId) grant.dead = true;
      }
    },
    expireAccessTokens: (user) => {
      for (const entry of accessTokens.values()) if (entry.grant.userId === user.userId) entry.expiresAt = 0;
    },
    keepOldRefreshTokens: () => {
      settings.keepOld = true;
    },
    lengthenCodes: (length) => {
      settings.codeLength = length;
    },
  };
}

/** The S256 challenge of a verifier (RFC 7636). */
export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

function isActive(state: DocuSignState, userId: string): boolean {
  const memberships = state.users.get(userId)?.memberships.values() ?? [];
  return [...memberships].some(({ status }) => status !== "Closed");
}

function knownUser(state: DocuSignState, userId: string): User {
  const user = state.users.get(userId);
  if (user === undefined) throw new DocuSignError(401, "USER_NOT_FOUND");
  return user;
}

function secret(): string {
  return randomBytes(32).toString("base64url");
}
