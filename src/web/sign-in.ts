import { type Request, type Response, Router, urlencoded } from "express";
import * as openid from "openid-client";
import { z } from "zod";
import { Refusal } from "../domain/refusal.ts";
import { html } from "./html.ts";
import { layout, PAGE_NAME } from "./page-layout.ts";
import {
  endSession,
  hashOf,
  type Identity,
  type PageSessionDeps,
  randomToken,
  readCookie,
  readSession,
  requireCsrf,
  requireSession,
  sessionOf,
  setCookie,
  signedInOf,
  startSession,
} from "./page-session.ts";
import { nameClaim } from "./tokens.ts";

/** A sign-in that a browser began and that has not come back yet. */
export type BegunSignIn = {
  /** SHA-256 over the state and a secret of the browser: another browser's return finds nothing. */
  readonly stateHash: Buffer;
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly returnTo: string;
  readonly expiresAt: Date;
};

export type SignInStore = {
  begin(signIn: BegunSignIn): Promise<void>;
  /** Gives the sign-in once, and only while `now` is before its `expiresAt`. */
  take(stateHash: Buffer, now: Date): Promise<BegunSignIn | null>;
};

export type SignInDeps = PageSessionDeps & {
  readonly signIns: SignInStore;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the issuer is to send the browser after a sign-out; null where no such address is registered there. */
  readonly signedOutUrl: string | null;
};

const HOME = "/links";
const SIGN_IN_MS = 15 * 60 * 1_000;
const TIMEOUT_SECONDS = 5;
const BROWSER_SECRET = /^[A-Za-z0-9_-]{43}$/;
const CLAIMS = z.object({
  sub: nameClaim,
  tenant: nameClaim,
  role: z.enum(["owner", "member"]),
  name: nameClaim.nullable().catch(null),
});
const AGAIN = "サインインの有効期限が切れたか、すでに使われています。もう一度サインインしてください。";

type FindIssuer = () => Promise<openid.Configuration>;

/**
 * The page's sign-in by OpenID Connect: `GET /sign-in?return_to=`, `GET /sign-in/callback`, `POST /sign-out`.
 * Who signs in gets a page session; errors are Refusals for the router's error handler.
 */
export function signInRoutes(deps: SignInDeps): Router {
  const issuer = createIssuerFinder(deps);
  const router = Router();
  router.get("/sign-in", (request, response) => beginSignIn(deps, issuer, request, response));
  router.get("/sign-in/callback", readSession(deps), (request, response) =>
    finishSignIn(deps, issuer, request, response),
  );
  router.post(
    "/sign-out",
    readSession(deps),
    requireSession,
    urlencoded({ extended: false, limit: "16kb" }),
    requireCsrf(deps.publicUrl),
    (request, response) => signOut(deps, issuer, request, response),
  );
  return router;
}

async function beginSignIn(
  deps: SignInDeps,
  issuer: FindIssuer,
  request: Request,
  response: Response,
): Promise<void> {
  const returnTo = localPath(request.query["return_to"]);
  const config = await issuer();
  const [state, nonce, codeVerifier] = [randomToken(), randomToken(), randomToken()];
  const secret = keepBrowserSecret(deps, request, response);
  const expiresAt = new Date(deps.now().getTime() + SIGN_IN_MS);
  await deps.signIns.begin({ stateHash: boundHash(state, secret), codeVerifier, nonce, returnTo, expiresAt });
  const address = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri(deps).href,
    scope: "openid profile",
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: "S256",
  });
  seeOther(response, address.href);
}

async function finishSignIn(
  deps: SignInDeps,
  issuer: FindIssuer,
  request: Request,
  response: Response,
): Promise<void> {
  const address = redirectUri(deps);
  address.search = new URL(request.originalUrl, deps.publicUrl).search;
  const state = address.searchParams.get("state") ?? "";
  const begun = await deps.signIns.take(boundHash(state, readBrowserSecret(deps, request) ?? ""), deps.now());
  if (begun === null) {
    // Back in the browser, or an old tab: who is signed in already just goes on.
    if (sessionOf(request) === null) throw new Refusal("malformed", AGAIN);
    seeOther(response, HOME);
    return;
  }
  const tokens = await redeemCode(await issuer(), address, state, begun);
  await startSession(deps, request, response, identityOf(tokens));
  seeOther(response, begun.returnTo);
}

async function signOut(
  deps: SignInDeps,
  issuer: FindIssuer,
  request: Request,
  response: Response,
): Promise<void> {
  const { idToken } = signedInOf(request);
  await endSession(deps, request, response);
  const address = await endSessionAddress(deps, issuer, idToken);
  if (address !== null) {
    seeOther(response, address);
    return;
  }
  response.set("Cache-Control", "no-store").type("html").send(SIGNED_OUT.toString());
}

const SIGNED_OUT = layout({
  title: "サインアウト",
  visitor: null,
  content: html`<h1>サインアウトしました</h1>
<section class="card"><p class="actions"><a class="button" href="/links">${PAGE_NAME}へ</a></p></section>`,
});

/**
 * Where to end the session at the issuer too; null where it has no such address or cannot be asked for it, which
 * must not keep anybody signed in here.
 */
async function endSessionAddress(
  deps: SignInDeps,
  issuer: FindIssuer,
  idToken: string | null,
): Promise<string | null> {
  const config = await issuer().catch(() => null);
  if (config?.serverMetadata().end_session_endpoint === undefined) return null;
  return openid.buildEndSessionUrl(config, {
    ...(idToken !== null && { id_token_hint: idToken }),
    ...(deps.signedOutUrl !== null && { post_logout_redirect_uri: deps.signedOutUrl }),
  }).href;
}

/** Discovers the issuer when the first person signs in, so that we start without it; a failure is not remembered. */
function createIssuerFinder(deps: SignInDeps): FindIssuer {
  let found: Promise<openid.Configuration> | null = null;
  return async () => {
    found ??= discover(deps);
    try {
      return await found;
    } catch (error) {
      found = null;
      throw unreachable(error);
    }
  };
}

function discover({ issuer, clientId, clientSecret }: SignInDeps): Promise<openid.Configuration> {
  const url = new URL(issuer);
  return openid.discovery(url, clientId, undefined, openid.ClientSecretBasic(clientSecret), {
    timeout: TIMEOUT_SECONDS,
    execute: [
      openid.enableNonRepudiationChecks,
      ...(isPlainLoopback(url) ? [openid.allowInsecureRequests] : []),
    ],
  });
}

/** Plain http is for the machine itself only, for tests and the demo. */
function isPlainLoopback(url: URL): boolean {
  return url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}

async function redeemCode(
  config: openid.Configuration,
  address: URL,
  expectedState: string,
  { codeVerifier, nonce }: BegunSignIn,
): Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers> {
  try {
    return await openid.authorizationCodeGrant(config, address, {
      expectedState,
      expectedNonce: nonce,
      pkceCodeVerifier: codeVerifier,
      idTokenExpected: true,
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): Refusal {
  const cause = { cause: error };
  if (error instanceof openid.AuthorizationResponseError && error.error === "access_denied") {
    return new Refusal("forbidden", "サインインが中止されました。", cause);
  }
  if (error instanceof openid.ResponseBodyError && error.error === "invalid_grant") {
    return new Refusal("malformed", AGAIN, cause);
  }
  return unreachable(error);
}

function unreachable(cause: unknown): Refusal {
  return new Refusal("unavailable", "サインインできませんでした。時間をおいて、もう一度お試しください。", {
    cause,
  });
}

function identityOf(tokens: openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers): Identity {
  const claims = CLAIMS.safeParse(tokens.claims());
  if (!claims.success) {
    throw new Refusal("forbidden", "このユーザーには、電子契約サービス連携を利用する権限がありません。");
  }
  const { sub, tenant, role, name } = claims.data;
  return { tenant, subject: sub, name, role, idToken: tokens.id_token ?? null };
}

/** The address of a page of ours; anything that a browser could take for another site's is a Refusal `malformed`. */
function localPath(text: unknown): string {
  if (text === undefined) return HOME;
  if (typeof text !== "string" || text.length > 2_000 || !/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(text)) {
    throw new Refusal("malformed", "return_to has to be the path of a page");
  }
  return text;
}

function redirectUri(deps: SignInDeps): URL {
  return new URL(`${deps.publicUrl.replace(/\/$/, "")}/sign-in/callback`);
}

/** One secret a browser, not one a sign-in: several tabs may sign in at once. */
function keepBrowserSecret(deps: SignInDeps, request: Request, response: Response): string {
  const secret = readBrowserSecret(deps, request) ?? randomToken();
  setCookie(response, deps.publicUrl, { name: "sign_in", value: secret, maxAgeMs: SIGN_IN_MS });
  return secret;
}

function readBrowserSecret(deps: SignInDeps, request: Request): string | null {
  const secret = readCookie(request, deps.publicUrl, "sign_in");
  return secret !== null && BROWSER_SECRET.test(secret) ? secret : null;
}

function boundHash(state: string, secret: string): Buffer {
  return hashOf(`${state}.${secret}`);
}

function seeOther(response: Response, address: string): void {
  response.set("Cache-Control", "no-store").redirect(303, address);
}
