import { type Request, type Response, Router, urlencoded } from "express";
import { Refusal } from "../../domain/refusal.ts";
import type { BegunSignIn } from "../../store/page-sessions.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { html } from "../html/html.ts";
import { layout, PAGE_NAME } from "../html/layout.ts";
import { readCookie, setCookie } from "./cookies.ts";
import { requireCsrf } from "./csrf.ts";
import { createSignInIssuer, type IssuerClient, SIGN_IN_AGAIN, type SignInIssuer } from "./issuer.ts";
import { hashOf, isToken, randomToken } from "./random-token.ts";
import { limitVisitors } from "./rate-limit.ts";
import {
  endSession,
  LONGEST_RETURN,
  readSession,
  requireSession,
  type SessionUses,
  sessionOf,
  signedInOf,
  startSession,
} from "./session.ts";
import { readSignInAnswer } from "./sign-in-answer.ts";

export type SignInStore = {
  begin(signIn: BegunSignIn): Promise<void>;
  /** Returns the sign-in once, and only if `now` is before its `expiresAt`. */
  take(stateHash: Buffer, now: Date): Promise<BegunSignIn | null>;
};

export type SignInUses = SessionUses &
  Uses<"log"> &
  Omit<IssuerClient, "redirectUri"> & { readonly signIns: SignInStore };

const HOME = "/links";
const SIGN_IN_MS = 15 * 60 * 1_000;
/** Starting a sign-in needs no authentication and stores a row, so it is limited. */
const SIGN_INS_PER_MINUTE = 300;

/**
 * The page's sign-in by OpenID Connect: `GET /sign-in?return_to=`, `GET /sign-in/callback`, `POST /sign-out`.
 * A sign-in starts a page session. Errors are Refusals for the router's error handler.
 */
export function signInRoutes(deps: SignInUses): Router {
  const redirectUri = `${deps.publicUrl.replace(/\/$/, "")}/sign-in/callback`;
  const issuer = createSignInIssuer({ ...deps, redirectUri });
  const router = Router();
  router.get("/sign-in", limitVisitors(SIGN_INS_PER_MINUTE, deps.log), (request, response) =>
    beginSignIn(deps, issuer, request, response),
  );
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
  deps: SignInUses,
  issuer: SignInIssuer,
  request: Request,
  response: Response,
): Promise<void> {
  const returnTo = localPath(request.query["return_to"]);
  const proofs = { state: randomToken(), nonce: randomToken(), codeVerifier: randomToken() };
  const address = await issuer.signInAddress(proofs);
  const stateHash = boundHash(proofs.state, keepBrowserSecret(deps, request, response));
  const expiresAt = new Date(deps.now().getTime() + SIGN_IN_MS);
  const { codeVerifier, nonce } = proofs;
  await deps.signIns.begin({ stateHash, codeVerifier, nonce, returnTo, expiresAt });
  seeOther(response, address);
}

async function finishSignIn(
  deps: SignInUses,
  issuer: SignInIssuer,
  request: Request,
  response: Response,
): Promise<void> {
  const answer = readSignInAnswer(request.originalUrl);
  const begun = await deps.signIns.take(
    boundHash(answer.state, readBrowserSecret(deps, request) ?? ""),
    deps.now(),
  );
  if (begun === null) {
    // The browser's back button, or an old tab: users who are already signed in continue to the page.
    if (sessionOf(request) === null) throw new Refusal("malformed", SIGN_IN_AGAIN);
    seeOther(response, HOME);
    return;
  }
  await startSession(deps, request, response, await issuer.identify(answer, begun));
  seeOther(response, begun.returnTo);
}

async function signOut(
  deps: SignInUses,
  issuer: SignInIssuer,
  request: Request,
  response: Response,
): Promise<void> {
  const { idToken } = signedInOf(request);
  await endSession(deps, request, response);
  const address = await issuer.signOutAddress(idToken);
  if (address !== null) {
    seeOther(response, address);
    return;
  }
  response.set("Cache-Control", "no-store").type("html").send(SIGNED_OUT.toString());
}

const SIGNED_OUT = layout({
  title: "ログアウト",
  visitor: null,
  content: html`<h1>ログアウトしました</h1>
<section class="card"><p class="actions"><a class="button" href="/links">${PAGE_NAME}へ</a></p></section>`,
});

/** Checks a path of our own. Refuses with `malformed` what a browser could resolve to another site. */
function localPath(text: unknown): string {
  if (text === undefined) return HOME;
  if (typeof text !== "string" || text.length > LONGEST_RETURN || !/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(text)) {
    throw new Refusal("malformed", "return_to must be the path of a page");
  }
  return text;
}

/** One secret per browser, not per sign-in: several tabs may sign in at once. */
function keepBrowserSecret(deps: SignInUses, request: Request, response: Response): string {
  const secret = readBrowserSecret(deps, request) ?? randomToken();
  setCookie(response, deps.publicUrl, { name: "sign_in", value: secret, maxAgeMs: SIGN_IN_MS });
  return secret;
}

function readBrowserSecret(deps: SignInUses, request: Request): string | null {
  const secret = readCookie(request, deps.publicUrl, "sign_in");
  return isToken(secret) ? secret : null;
}

function boundHash(state: string, secret: string): Buffer {
  return hashOf(`${state}.${secret}`);
}

function seeOther(response: Response, address: string): void {
  response.set("Cache-Control", "no-store").redirect(303, address);
}
