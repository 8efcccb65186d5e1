import * as openid from "openid-client";
import { z } from "zod";
import { describeFault } from "../../domain/fault-text.ts";
import { Refusal } from "../../domain/refusal.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import type { Identity } from "./session.ts";
import { SIGN_IN_FAILED, type SignInAnswer } from "./sign-in-answer.ts";
import { ALGORITHMS, nameClaim, tenantName } from "./tokens.ts";

/** This service as a client of the cabinet's OpenID Connect issuer. */
export type IssuerClient = Uses<"log" | "now"> & {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The address that the issuer redirects to after a sign-in. */
  readonly redirectUri: string;
  /** The address that the issuer redirects to after a sign-out; null if none is registered there. */
  readonly signedOutUrl: string | null;
};

/** The secrets of a sign-in, kept until the browser comes back. */
export type Proofs = { readonly nonce: string; readonly codeVerifier: string };

/** Refuses with `unavailable` if the issuer cannot be reached. */
export type SignInIssuer = {
  /**
   * Builds the address at which the browser signs in. With `silent`, the issuer answers without showing a page, or
   * refuses.
   */
  signInAddress(proofs: Proofs & { readonly state: string }, silent: boolean): Promise<string>;
  /**
   * Redeems the answer's code. Refuses with `malformed` if the answer is from a different issuer or the code is unknown,
   * used or expired; with `forbidden` if the issuer refuses the user or the user lacks permission.
   */
  identify(answer: SignInAnswer, proofs: Proofs): Promise<Identity>;
  /** Asks about a user again. `unanswered` means that this cannot be asked with the token, which may then be spent. */
  refresh(refreshToken: string): Promise<Identity | "refused" | "unanswered">;
  /** Returns true if the issuer answers now. Remembers a failure for half a minute. */
  isReachable(): Promise<boolean>;
  /** Returns false if the issuer's metadata exclude sign-ins without a page. */
  canAskSilently(): Promise<boolean>;
  /** Throws if the issuer rejects the client or its secret. */
  checkClient(): Promise<void>;
  /**
   * Builds the address that ends the issuer's session too. Returns null if the issuer has none or cannot be reached:
   * signing out here must still work.
   */
  signOutAddress(idToken: string | null): Promise<string | null>;
};

/** The message for a sign-in that is expired, used or unknown. */
export const SIGN_IN_AGAIN =
  "ログインの有効期限が切れたか、すでに使われています。もう一度ログインしてください。";

/** Discovers the issuer on first use, so that the service starts without it. */
export function createSignInIssuer(client: IssuerClient): SignInIssuer {
  const { discovered, isReachable } = createDiscovery(client);
  return {
    signInAddress: async ({ state, nonce, codeVerifier }, silent) =>
      openid.buildAuthorizationUrl(await discovered(), {
        redirect_uri: client.redirectUri,
        scope: "openid profile",
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: "S256",
        ...(silent && { prompt: "none" }),
      }).href,
    identify: async (answer, proofs) => {
      const code = codeOf(answer);
      const config = await discovered();
      requireOurIssuer(config, answer);
      const address = new URL(client.redirectUri);
      const { state, iss } = answer;
      address.search = new URLSearchParams({ code, state, ...(iss !== null && { iss }) }).toString();
      return identityOf(await redeemCode(config, address, { ...proofs, state }));
    },
    refresh: async (refreshToken) => await askAgain(await discovered(), refreshToken),
    isReachable,
    checkClient: async () => await presentWrongCode(await discover(client), client),
    canAskSilently: async () => {
      const { prompt_values_supported: supported } = (await discovered()).serverMetadata();
      return !Array.isArray(supported) || supported.includes("none");
    },
    signOutAddress: async (idToken) => {
      const config = await discovered().catch(() => null);
      if (config?.serverMetadata().end_session_endpoint === undefined) return null;
      return openid.buildEndSessionUrl(config, {
        ...(idToken !== null && { id_token_hint: idToken }),
        ...(client.signedOutUrl !== null && { post_logout_redirect_uri: client.signedOutUrl }),
      }).href;
    },
  };
}

type Discovery = Pick<SignInIssuer, "isReachable"> & {
  /** Returns the issuer's configuration. Failures are not cached. */
  readonly discovered: () => Promise<openid.Configuration>;
};

const TIMEOUT_SECONDS = 5;
const AWAY_MS = 30_000;

function createDiscovery(client: IssuerClient): Discovery {
  let found: Promise<openid.Configuration> | null = null;
  let awayUntil = 0;
  return {
    discovered: async () => {
      found ??= discover(client);
      try {
        return await found;
      } catch (error) {
        found = null;
        throw unreachable(error);
      }
    },
    isReachable: async () => {
      if (client.now().getTime() < awayUntil) return false;
      try {
        found = Promise.resolve(await discover(client));
        return true;
      } catch (error) {
        awayUntil = client.now().getTime() + AWAY_MS;
        const line = "the cabinet's issuer cannot be reached: page sessions are not confirmed";
        client.log.warn({ detail: describeFault(error) }, line);
        return false;
      }
    },
  };
}

async function discover(client: IssuerClient): Promise<openid.Configuration> {
  const url = new URL(client.issuer);
  const clientAuth = authenticateClient(client.clientSecret);
  const extensions = extensionsFor(url);
  const options = { timeout: TIMEOUT_SECONDS, execute: extensions };
  const found = await openid.discovery(url, client.clientId, undefined, clientAuth, options);
  const metadata: openid.ServerMetadata = found.serverMetadata();
  if (metadata.id_token_signing_alg_values_supported !== undefined) return found;
  // The library would accept only RS256, but the API accepts every algorithm in this list from the same issuer.
  const completed = { ...metadata, id_token_signing_alg_values_supported: ALGORITHMS };
  const config = new openid.Configuration(completed, client.clientId, undefined, clientAuth);
  config.timeout = TIMEOUT_SECONDS;
  for (const extend of extensions) extend(config);
  return config;
}

/** An issuer that accepts the client rejects only the code. */
async function presentWrongCode(
  config: openid.Configuration,
  { redirectUri }: Pick<IssuerClient, "redirectUri">,
): Promise<void> {
  const form = {
    code: "torikomi-doctor",
    redirect_uri: redirectUri,
    code_verifier: openid.randomPKCECodeVerifier(),
  };
  try {
    await openid.genericGrantRequest(config, "authorization_code", form);
  } catch (error) {
    if (error instanceof openid.ResponseBodyError && error.error === "invalid_grant") return;
    if (isClientRejected(error))
      throw new Error("the cabinet rejects the client or its secret", { cause: error });
    throw error;
  }
}

/** A 401 has its code in a header, or in a body that the library does not read. */
function isClientRejected(error: unknown): boolean {
  if (error instanceof openid.WWWAuthenticateChallengeError) return true;
  return error instanceof openid.ResponseBodyError && /^(invalid|unauthorized)_client$/.test(error.error);
}

function extensionsFor(issuer: URL): ((config: openid.Configuration) => void)[] {
  return [
    openid.enableNonRepudiationChecks,
    ...(isPlainLoopback(issuer) ? [openid.allowInsecureRequests] : []),
  ];
}

/** Uses Basic, OpenID Connect's default. Sends the secret in the body only if the issuer supports nothing else. */
function authenticateClient(clientSecret: string): openid.ClientAuth {
  const basic = openid.ClientSecretBasic(clientSecret);
  const post = openid.ClientSecretPost(clientSecret);
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    const isPostOnly = methods.includes("client_secret_post") && !methods.includes("client_secret_basic");
    (isPostOnly ? post : basic)(server, ...request);
  };
}

/** Plain http is allowed only on the loopback interface, for tests and the demo. */
function isPlainLoopback(url: URL): boolean {
  return url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}

/** The errors of a silent sign-in that need the user (OpenID Connect Core 3.1.2.6). */
const NEEDS_USER: readonly (string | null)[] = [
  "account_selection_required",
  "consent_required",
  "interaction_required",
  "login_required",
];

/** An error in the answer may be forged, so it is never reported as a failure of the issuer. */
function codeOf({ code, error }: SignInAnswer): string {
  if (NEEDS_USER.includes(error)) throw new Refusal("forbidden", SIGN_IN_AGAIN);
  if (error === "access_denied") throw new Refusal("forbidden", "ログインが中止されました。");
  if (error !== null || code === null) throw new Refusal("malformed", SIGN_IN_FAILED);
  return code;
}

/** An issuer that identifies itself in its answers does so in every one (RFC 9207). */
function requireOurIssuer(config: openid.Configuration, { iss }: SignInAnswer): void {
  const metadata = config.serverMetadata();
  const isOurs =
    iss === null ? metadata.authorization_response_iss_parameter_supported !== true : iss === metadata.issuer;
  if (!isOurs) throw new Refusal("malformed", SIGN_IN_FAILED);
}

type Tokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

async function redeemCode(
  config: openid.Configuration,
  address: URL,
  { state, nonce, codeVerifier }: Proofs & { readonly state: string },
): Promise<Tokens> {
  try {
    return await openid.authorizationCodeGrant(config, address, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: codeVerifier,
      idTokenExpected: true,
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/**
 * The errors of a token endpoint that say nothing about the user: our client may not ask this way, or the issuer is busy
 * (RFC 6749 5.2 and 4.1.2.1).
 */
const NOT_ABOUT_USER = [
  "invalid_client",
  "invalid_request",
  "invalid_scope",
  "server_error",
  "slow_down",
  "temporarily_unavailable",
  "unauthorized_client",
  "unsupported_grant_type",
];

async function askAgain(
  config: openid.Configuration,
  refreshToken: string,
): Promise<Identity | "refused" | "unanswered"> {
  try {
    const tokens = await openid.refreshTokenGrant(config, refreshToken);
    if (tokens.id_token === undefined) return "unanswered";
    const identity = readIdentity(tokens);
    return identity === null
      ? "refused"
      : { ...identity, refreshToken: identity.refreshToken ?? refreshToken };
  } catch (error) {
    const isAnswer = error instanceof openid.ResponseBodyError && error.status < 500;
    return isAnswer && !NOT_ABOUT_USER.includes(error.error) ? "refused" : "unanswered";
  }
}

/** Issuers answer an odd code with either. */
const ABOUT_THE_CODE: ReadonlySet<string> = new Set(["invalid_grant", "invalid_request"]);

/** The library's error for an ID token of a different sign-in. An issuer that ignores PKCE redeems any code of ours. */
const FOREIGN_NONCE = z.object({
  cause: z.object({ cause: z.object({ claim: z.literal("nonce") }) }),
});

function refusalOf(error: unknown): Refusal {
  const cause = { cause: error };
  const isRefused = error instanceof openid.ResponseBodyError && ABOUT_THE_CODE.has(error.error);
  if (isRefused || FOREIGN_NONCE.safeParse(error).success) {
    return new Refusal("malformed", SIGN_IN_AGAIN, cause);
  }
  return unreachable(error);
}

function unreachable(cause: unknown): Refusal {
  return new Refusal("unavailable", "ログインできませんでした。時間を置いて、もう一度お試しください。", {
    cause,
  });
}

const CLAIMS = z.object({
  sub: nameClaim,
  tenant: tenantName,
  role: z.enum(["owner", "member"]),
  name: nameClaim.nullable().catch(null),
});

function identityOf(tokens: Tokens): Identity {
  const identity = readIdentity(tokens);
  if (identity === null) {
    throw new Refusal("forbidden", "このユーザーには、電子契約サービス連携を利用する権限がありません。");
  }
  return identity;
}

/** Returns null if the ID token permits nothing here. */
function readIdentity(tokens: Tokens): Identity | null {
  const claims = CLAIMS.safeParse(tokens.claims());
  if (!claims.success) return null;
  const { sub, tenant, role, name } = claims.data;
  const { id_token: idToken = null, refresh_token: refreshToken = null } = tokens;
  return { tenant, subject: sub, name, role, idToken, refreshToken };
}
