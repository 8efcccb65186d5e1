import { type Request, type RequestHandler, type Response, Router, urlencoded } from "express";
import { Refusal } from "../../domain/refusal.ts";
import type { BegunSignIn } from "../../store/page-sessions.ts";
import type { PageSettings, Uses } from "../../usecases/capabilities.ts";
import { type Html, html } from "../html/html.ts";
import { layout, PAGE_NAME } from "../html/layout.ts";
import { sendOnward } from "../html/onward.ts";
import { type BrowserSecrets, createBrowserSecrets } from "./browser-secrets.ts";
import { refuseSession } from "./confirmation.ts";
import { readCookie, setCookie } from "./cookies.ts";
import { requireCsrf } from "./csrf.ts";
import { SIGN_IN_AGAIN, type SignInIssuer } from "./issuer.ts";
import { hashOf, isToken, randomToken } from "./random-token.ts";
import { limitVisitors } from "./rate-limit.ts";
import {
  confirmSession,
  endSession,
  LONGEST_RETURN,
  readSession,
  type SessionUses,
  sessionOf,
  startSession,
} from "./session.ts";
import { readSignInAnswer, type SignInAnswer } from "./sign-in-answer.ts";

export type SignInStore = {
  begin(signIn: BegunSignIn): Promise<void>;
  /** Returns the sign-in once, and only if `now` is before its `expiresAt`. */
  take(stateHash: Buffer, now: Date): Promise<BegunSignIn | null>;
};

export type SignInUses = SessionUses &
  Uses<"log" | "page"> & { readonly issuer: SignInIssuer; readonly signIns: SignInStore };

const HOME = "/links";
const CALLBACK = "/sign-in/callback";
/** The purposes of a sign-in's secrets. */
const [VERIFIER, RETURN] = ["code verifier", "return address"] as const;
const SIGN_IN_MS = 15 * 60 * 1_000;
/** Starting a sign-in needs no authentication and stores a row, so it is limited. */
const SIGN_INS_PER_MINUTE = 300;

/**
 * The page's sign-in by OpenID Connect: `GET /sign-in?return_to=`, `GET /sign-in/callback`, `POST /sign-out`.
 * A sign-in starts a page session. With `prompt=none` it confirms the browser's session instead, without a page of the
 * issuer. Errors are Refusals for the router's error handler.
 */
export function signInRoutes(deps: SignInUses): Router {
  const router = Router();
  const limit = limitVisitors(SIGN_INS_PER_MINUTE, deps.log);
  router.get("/sign-in", limit, readSession(deps), (request, response) =>
    beginSignIn(deps, request, response),
  );
  router.get(CALLBACK, readSession(deps), (request, response) => finishSignIn(deps, request, response));
  router.post(
    "/sign-out",
    readSession(deps),
    urlencoded({ extended: false, limit: "16kb" }),
    requireCsrfOfSession(deps.publicUrl),
    (request, response) => signOut(deps, request, response),
  );
  return router;
}

/** The address that the issuer redirects to after a sign-in. */
export function signInCallback(publicUrl: string): string {
  return `${publicUrl.replace(/\/$/, "")}${CALLBACK}`;
}

async function beginSignIn(deps: SignInUses, request: Request, response: Response): Promise<void> {
  const returnTo = localPath(request.query["return_to"]);
  const session = request.query["prompt"] === "none" ? sessionOf(request) : null;
  const proofs = { state: randomToken(), nonce: randomToken(), codeVerifier: randomToken() };
  const address = await deps.issuer.signInAddress(proofs, session !== null);
  const value = bound(proofs.state, keepBrowserSecret(deps, request, response));
  const secrets = createBrowserSecrets(value);
  await deps.signIns.begin({
    stateHash: hashOf(value),
    codeVerifier: secrets.seal(proofs.codeVerifier, VERIFIER),
    nonce: proofs.nonce,
    returnTo: secrets.seal(returnTo, RETURN),
    confirms: session?.idHash ?? null,
    expiresAt: new Date(deps.now().getTime() + SIGN_IN_MS),
  });
  seeOther(response, address);
}

async function finishSignIn(deps: SignInUses, request: Request, response: Response): Promise<void> {
  const answer = readSignInAnswer(request.originalUrl);
  const begun = await takeSignIn(deps, bound(answer.state, readBrowserSecret(deps, request) ?? ""));
  if (begun === null) {
    // The browser's back button, or an old tab: users who are already signed in continue to the page.
    if (sessionOf(request) === null) throw new Refusal("malformed", SIGN_IN_AGAIN);
    seeOther(response, HOME);
    return;
  }
  const finish = begun.confirms === null ? finishNew : finishSilent;
  await finish(deps, { begun, answer }, { request, response });
}

type Returned = { readonly begun: BegunSignIn; readonly answer: SignInAnswer };
type Exchange = { readonly request: Request; readonly response: Response };

async function finishNew(
  deps: SignInUses,
  { begun, answer }: Returned,
  { request, response }: Exchange,
): Promise<void> {
  await startSession(deps, request, response, await deps.issuer.identify(answer, begun));
  seeOther(response, begun.returnTo);
}

/**
 * Confirms the session that the issuer was asked about. If the browser's session or user has changed since, this is a new
 * sign-in. If the issuer does not answer silently, the user signs in with a page.
 */
async function finishSilent(
  deps: SignInUses,
  { begun, answer }: Returned,
  { request, response }: Exchange,
): Promise<void> {
  const identity = await deps.issuer.identify(answer, begun).catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });
  if (identity instanceof Refusal) {
    if (identity.code === "forbidden") await refuseSession(deps, request, response, identity);
    seeOther(response, `/sign-in?${new URLSearchParams({ return_to: begun.returnTo }).toString()}`);
    return;
  }
  const session = sessionOf(request);
  const isSame =
    session !== null &&
    begun.confirms?.equals(session.idHash) === true &&
    session.subject === identity.subject;
  if (isSame) await confirmSession(deps, request, identity);
  else await startSession(deps, request, response, identity);
  seeOther(response, begun.returnTo);
}

/** Takes the sign-in and decrypts it. Returns null if there is none. */
async function takeSignIn(deps: SignInUses, value: string): Promise<BegunSignIn | null> {
  const begun = await deps.signIns.take(hashOf(value), deps.now());
  if (begun === null) return null;
  const secrets = createBrowserSecrets(value);
  const codeVerifier = openText(secrets, begun.codeVerifier, VERIFIER);
  const returnTo = openText(secrets, begun.returnTo, RETURN);
  return codeVerifier === null || returnTo === null ? null : { ...begun, codeVerifier, returnTo };
}

/** Version 0.1 stores plain text: a verifier without dots, and a path. */
function openText(secrets: BrowserSecrets, text: string, purpose: string): string | null {
  return /^v\d\./.test(text) ? secrets.open(text, purpose) : text;
}

async function signOut(deps: SignInUses, request: Request, response: Response): Promise<void> {
  const idToken = sessionOf(request)?.idToken ?? null;
  await endSession(deps, request, response);
  const address = await deps.issuer.signOutAddress(idToken);
  if (address !== null) {
    sendOnward(response, deps.page, { name: "ログアウトの画面", address });
    return;
  }
  response.set("Cache-Control", "no-store").type("html").send(signedOutPage(deps.page).toString());
}

/** Without a session there is no token, and nothing here to protect: the user only leaves the cabinet. */
function requireCsrfOfSession(publicUrl: string): RequestHandler {
  const check = requireCsrf(publicUrl);
  return (request, response, next) => {
    if (sessionOf(request) === null) next();
    else check(request, response, next);
  };
}

function signedOutPage(settings: PageSettings): Html {
  return layout({
    settings,
    title: "ログアウト",
    visitor: null,
    content: html`<h1>ログアウトしました</h1>
<section class="card"><p class="actions"><a class="button" href="/links">${PAGE_NAME}へ</a></p></section>`,
  });
}

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

/** The database holds only the hash of this value. */
function bound(state: string, secret: string): string {
  return `${state}.${secret}`;
}

function seeOther(response: Response, address: string): void {
  response.set("Cache-Control", "no-store").redirect(303, address);
}
