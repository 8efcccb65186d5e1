import type { Request, RequestHandler, Response } from "express";
import { Refusal } from "../../domain/refusal.ts";
import type { PageSession } from "../../store/page-sessions.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { clearCookie, readCookie, setCookie } from "./cookies.ts";
import { hashOf, isToken, randomToken } from "./random-token.ts";

export type SessionStore = {
  create(session: PageSession): Promise<void>;
  /** The session while `now` is before its `expiresAt`. */
  find(idHash: Buffer, now: Date): Promise<PageSession | null>;
  end(idHash: Buffer): Promise<void>;
};

export type SessionUses = Uses<"now" | "publicUrl"> & { readonly sessions: SessionStore };

/** What the issuer says of who signs in. */
export type Identity = Pick<PageSession, "tenant" | "subject" | "name" | "role" | "idToken">;

/**
 * How long an address to come back to may be, in characters. DocuSign's return carries a code that may be long, and no
 * length is promised; more than this no request line brings past nginx, whose buffer for it holds 8 KiB.
 */
export const LONGEST_RETURN = 8_192;

const LIFETIME_MS = 8 * 60 * 60 * 1_000;

const sessions = new WeakMap<Request, PageSession>();

/** Looks up the session that a request's cookie names, for `sessionOf`; lets every request pass. */
export function readSession(deps: SessionUses): RequestHandler {
  return async (request, _response, next) => {
    const idHash = readSessionIdHash(deps, request);
    const session = idHash === null ? null : await deps.sessions.find(idHash, deps.now());
    if (session !== null) sessions.set(request, session);
    next();
  };
}

/** Sends who is not signed in to the sign-in, and from there back to the page that was asked for. */
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

/** For pages that only who is signed in may see, and that browsers must not keep. */
export function requireSignIn(deps: SessionUses): RequestHandler[] {
  return [keepNothing, readSession(deps), requireSession];
}

const keepNothing: RequestHandler = (_request, response, next) => {
  response.set("Cache-Control", "no-store");
  next();
};

/** For what only owners may do, behind `requireSession`; everybody else is a Refusal `forbidden`. */
export const requireOwner: RequestHandler = (request, _response, next) => {
  if (signedInOf(request).role === "owner") {
    next();
    return;
  }
  throw new Refusal("forbidden", "連携の設定は、オーナー権限のユーザーのみ行えます。");
};

/** Who is signed in; null for nobody, and where `readSession` did not run before. */
export function sessionOf(request: Request): PageSession | null {
  return sessions.get(request) ?? null;
}

/** Who is signed in, for handlers behind `requireSession`; a Refusal `unauthorized` for nobody. */
export function signedInOf(request: Request): PageSession {
  const session = sessionOf(request);
  if (session === null) throw new Refusal("unauthorized", "サインインしてください。");
  return session;
}

/**
 * Begins a session of eight hours under a new id, so that an id known before the sign-in is worth nothing after it;
 * a session that the browser still has ends.
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

/** Ends the session that the browser has, if any, here and in the browser. */
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
