import type { Request, RequestHandler, Response } from "express";
import { Refusal } from "../../domain/refusal.ts";
import type { Confirmation, PageSession } from "../../store/page-sessions.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { sendOnward } from "../html/onward.ts";
import { type BrowserSecrets, createBrowserSecrets } from "./browser-secrets.ts";
import { clearCookie, readCookie, setCookie } from "./cookies.ts";
import { hashOf, isToken, randomToken } from "./random-token.ts";

export type SessionStore = {
  create(session: PageSession): Promise<void>;
  /** Finds the session if `now` is before its `expiresAt`. */
  find(idHash: Buffer, now: Date): Promise<PageSession | null>;
  /** Takes the refresh token out of the session. Returns false if another request has it. */
  takeRefreshToken(idHash: Buffer, sealed: string): Promise<boolean>;
  confirm(idHash: Buffer, confirmation: Confirmation): Promise<void>;
  end(idHash: Buffer): Promise<void>;
  /** Keeps the outcome of a change until the page has shown it. */
  keepResult(idHash: Buffer, result: string): Promise<void>;
  /** Returns true once for an outcome that was kept. */
  takeResult(idHash: Buffer, result: string): Promise<boolean>;
};

export type SessionUses = Uses<"now" | "page" | "publicUrl"> & { readonly sessions: SessionStore };

/** The user's identity as the issuer asserts it, with the tokens that came with it. */
export type Identity = Pick<PageSession, "tenant" | "subject" | "name" | "role"> & {
  readonly idToken: string | null;
  readonly refreshToken: string | null;
};

/** The session of a request. */
export type SignedIn = Omit<PageSession, "csrfToken" | "verifiedAt"> & {
  readonly verifiedAt: Date;
  /** The tokens that forms of this session may hold. Our pages use the first. */
  readonly csrfTokens: readonly [string, ...string[]];
  readonly idToken: string | null;
  readonly refreshToken: string | null;
};

/**
 * The longest return address, in characters. DocuSign's authorization codes may be long, and no maximum is documented.
 * nginx rejects longer request lines: its buffer holds 8 KiB.
 */
export const LONGEST_RETURN = 8_192;

const LIFETIME_MS = 8 * 60 * 60 * 1_000;

/** The purposes of a session's secrets. */
const [ID_TOKEN, REFRESH_TOKEN, FORMS] = ["id token", "refresh token", "forms"] as const;

const SESSION_EXPIRED =
  "ログインの有効期限が切れたため、操作は行われていません。設定は変更されていません。もう一度ログインして、操作をやり直してください。";

const sessions = new WeakMap<Request, SignedIn>();

/** Loads the session of the request's cookie for `sessionOf`. Lets every request pass. */
export function readSession(deps: SessionUses): RequestHandler {
  return async (request, _response, next) => {
    const id = readSessionId(deps, request);
    const session = id === null ? null : await deps.sessions.find(hashOf(id), deps.now());
    if (id !== null && session !== null) sessions.set(request, open(createBrowserSecrets(id), session));
    next();
  };
}

/**
 * The token of forms is derived from the cookie, so it is not stored. It depends on the tenant: after a change of tenant,
 * older forms are refused. Forms that version 0.1 rendered are accepted in its own sessions until they are confirmed.
 */
function open(secrets: BrowserSecrets, { csrfToken, ...session }: PageSession): SignedIn {
  const ownToken = secrets.tokenFor(FORMS, session.tenant);
  const openText = (sealed: string | null, purpose: string): string | null =>
    sealed === null ? null : secrets.open(sealed, purpose);
  return {
    ...session,
    verifiedAt: session.verifiedAt ?? session.startedAt,
    csrfTokens: session.verifiedAt === null ? [ownToken, csrfToken] : [ownToken],
    idToken: openText(session.sealedIdToken, ID_TOKEN),
    refreshToken: openText(session.sealedRefreshToken, REFRESH_TOKEN),
  };
}

/**
 * Leads visitors without a session to the sign-in, which returns them to the requested page. A form of an expired session
 * is refused with `unauthorized`, so that its user knows that nothing has changed.
 */
export function requireSession(deps: Uses<"page">): RequestHandler {
  return (request, response, next) => {
    if (sessionOf(request) !== null) next();
    else if (request.method === "GET") leadToSignIn(deps, request, response, {});
    else throw new Refusal("unauthorized", SESSION_EXPIRED);
  };
}

/**
 * Sends the browser to the sign-in and back. Out of our own pages it goes by a page that moves on: the request may come
 * from a form, whose redirects browsers restrict.
 */
export function leadToSignIn(
  deps: Uses<"page">,
  request: Request,
  response: Response,
  parameters: Readonly<Record<string, string>>,
): void {
  const query = new URLSearchParams({ ...parameters, return_to: request.originalUrl });
  const address = `/sign-in?${query.toString()}`;
  if (request.headers["sec-fetch-site"] === "same-origin") {
    sendOnward(response, deps.page, { name: "ログインの画面", address });
  } else response.set("Cache-Control", "no-store").redirect(303, address);
}

/** Refuses users who are not owners with `forbidden`. Needs `requireSession` before it. */
export const requireOwner: RequestHandler = (request, _response, next) => {
  if (signedInOf(request).role === "owner") {
    next();
    return;
  }
  throw new Refusal("forbidden", "連携の設定は、オーナー権限のユーザーのみ行えます。");
};

/** The request's session; null without one, or if `readSession` did not run before. */
export function sessionOf(request: Request): SignedIn | null {
  return sessions.get(request) ?? null;
}

/** The request's session, for handlers behind `requireSession`. Refuses with `unauthorized` without one. */
export function signedInOf(request: Request): SignedIn {
  const session = sessionOf(request);
  if (session === null) throw new Refusal("unauthorized", "ログインしてください。");
  return session;
}

/**
 * Starts a session of eight hours under a new id and ends the browser's previous one. An id that was known before the
 * sign-in is worthless after it.
 */
export async function startSession(
  deps: SessionUses,
  request: Request,
  response: Response,
  identity: Identity,
): Promise<void> {
  await endStored(deps, request);
  const id = randomToken();
  const startedAt = deps.now();
  await deps.sessions.create({
    ...sealed(createBrowserSecrets(id), identity),
    subject: identity.subject,
    idHash: hashOf(id),
    csrfToken: randomToken(),
    verifiedAt: startedAt,
    startedAt,
    expiresAt: new Date(startedAt.getTime() + LIFETIME_MS),
  });
  setCookie(response, deps.publicUrl, { name: "session", value: id, maxAgeMs: LIFETIME_MS });
}

/** Updates the request's session with the issuer's answer. Its id and its end stay. Needs `readSession` before it. */
export async function confirmSession(deps: SessionUses, request: Request, identity: Identity): Promise<void> {
  const id = readSessionId(deps, request);
  const session = sessionOf(request);
  if (id === null || session === null) throw new Refusal("unauthorized", "ログインしてください。");
  const secrets = createBrowserSecrets(id);
  const confirmation = { ...sealed(secrets, identity), verifiedAt: deps.now() };
  await deps.sessions.confirm(session.idHash, confirmation);
  sessions.set(request, open(secrets, { ...session, ...confirmation, csrfToken: "" }));
}

function sealed(
  secrets: BrowserSecrets,
  { tenant, name, role, idToken, refreshToken }: Identity,
): Omit<Confirmation, "verifiedAt"> {
  return {
    tenant,
    name,
    role,
    sealedIdToken: idToken === null ? null : secrets.seal(idToken, ID_TOKEN),
    sealedRefreshToken: refreshToken === null ? null : secrets.seal(refreshToken, REFRESH_TOKEN),
  };
}

/** Ends the browser's session, if any, and clears its cookie. */
export async function endSession(deps: SessionUses, request: Request, response: Response): Promise<void> {
  await endStored(deps, request);
  sessions.delete(request);
  clearCookie(response, deps.publicUrl, "session");
}

async function endStored(deps: SessionUses, request: Request): Promise<void> {
  const id = readSessionId(deps, request);
  if (id !== null) await deps.sessions.end(hashOf(id));
}

function readSessionId({ publicUrl }: Uses<"publicUrl">, request: Request): string | null {
  const id = readCookie(request, publicUrl, "session");
  return isToken(id) ? id : null;
}
