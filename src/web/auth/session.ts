import type { Request, RequestHandler, Response } from "express";
import { Refusal } from "../../domain/refusal.ts";
import type { PageSession } from "../../store/page-sessions.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { clearCookie, readCookie, setCookie } from "./cookies.ts";
import { hashOf, isToken, randomToken } from "./random-token.ts";

export type SessionStore = {
  create(session: PageSession): Promise<void>;
  /** Finds the session if `now` is before its `expiresAt`. */
  find(idHash: Buffer, now: Date): Promise<PageSession | null>;
  end(idHash: Buffer): Promise<void>;
};

export type SessionUses = Uses<"now" | "publicUrl"> & { readonly sessions: SessionStore };

/** The user's identity as the issuer asserts it. */
export type Identity = Pick<PageSession, "tenant" | "subject" | "name" | "role" | "idToken">;

/**
 * The longest return address, in characters. DocuSign's authorization codes may be long, and no maximum is documented.
 * nginx rejects longer request lines: its buffer holds 8 KiB.
 */
export const LONGEST_RETURN = 8_192;

const LIFETIME_MS = 8 * 60 * 60 * 1_000;

const sessions = new WeakMap<Request, PageSession>();

/** Loads the session of the request's cookie for `sessionOf`. Lets every request pass. */
export function readSession(deps: SessionUses): RequestHandler {
  return async (request, _response, next) => {
    const idHash = readSessionIdHash(deps, request);
    const session = idHash === null ? null : await deps.sessions.find(idHash, deps.now());
    if (session !== null) sessions.set(request, session);
    next();
  };
}

/** Redirects visitors without a session to the sign-in, which returns them to the requested page. */
export const requireSession: RequestHandler = (request, response, next) => {
  if (sessionOf(request) !== null) {
    next();
    return;
  }
  const returnTo = request.method === "GET" ? request.originalUrl : "/links";
  response
    .set("Cache-Control", "no-store")
    .redirect(303, `/sign-in?${new URLSearchParams({ return_to: returnTo }).toString()}`);
};

/** Guards pages that need a session and that browsers must not cache. */
export function requireSignIn(deps: SessionUses): RequestHandler[] {
  return [noStore, readSession(deps), requireSession];
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set("Cache-Control", "no-store");
  next();
};

/** Refuses users who are not owners with `forbidden`. Needs `requireSession` before it. */
export const requireOwner: RequestHandler = (request, _response, next) => {
  if (signedInOf(request).role === "owner") {
    next();
    return;
  }
  throw new Refusal("forbidden", "連携の設定は、オーナー権限のユーザーのみ行えます。");
};

/** The request's session; null without one, or if `readSession` did not run before. */
export function sessionOf(request: Request): PageSession | null {
  return sessions.get(request) ?? null;
}

/** The request's session, for handlers behind `requireSession`. Refuses with `unauthorized` without one. */
export function signedInOf(request: Request): PageSession {
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
  const expiresAt = new Date(startedAt.getTime() + LIFETIME_MS);
  await deps.sessions.create({
    ...identity,
    idHash: hashOf(id),
    csrfToken: randomToken(),
    startedAt,
    expiresAt,
  });
  setCookie(response, deps.publicUrl, { name: "session", value: id, maxAgeMs: LIFETIME_MS });
}

/** Ends the browser's session, if any, and clears its cookie. */
export async function endSession(deps: SessionUses, request: Request, response: Response): Promise<void> {
  await endStored(deps, request);
  clearCookie(response, deps.publicUrl, "session");
}

async function endStored(deps: SessionUses, request: Request): Promise<void> {
  const idHash = readSessionIdHash(deps, request);
  if (idHash !== null) await deps.sessions.end(idHash);
}

function readSessionIdHash({ publicUrl }: Uses<"publicUrl">, request: Request): Buffer | null {
  const id = readCookie(request, publicUrl, "session");
  return isToken(id) ? hashOf(id) : null;
}
