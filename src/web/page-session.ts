import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { CookieOptions, Request, RequestHandler, Response } from "express";
import { z } from "zod";
import { Refusal } from "../domain/refusal.ts";

/** Whom the cabinet signed in on the page, until when. */
export type PageSession = {
  /** SHA-256 of the id in the cookie: what is stored lets nobody in. */
  readonly idHash: Buffer;
  readonly tenant: string;
  readonly subject: string;
  readonly name: string | null;
  /** `owner` may change, `member` may look. */
  readonly role: "owner" | "member";
  readonly csrfToken: string;
  /** The issuer's ID token, which names the session to end there at sign-out. */
  readonly idToken: string | null;
  readonly startedAt: Date;
  readonly expiresAt: Date;
};

export type SessionStore = {
  create(session: PageSession): Promise<void>;
  /** The session while `now` is before its `expiresAt`. */
  find(idHash: Buffer, now: Date): Promise<PageSession | null>;
  end(idHash: Buffer): Promise<void>;
};

export type PageSessionDeps = {
  readonly sessions: SessionStore;
  readonly publicUrl: string;
  readonly now: () => Date;
};

/** What the issuer says of who signs in. */
export type Identity = Pick<PageSession, "tenant" | "subject" | "name" | "role" | "idToken">;

const LIFETIME_MS = 8 * 60 * 60 * 1_000;
const ID = /^[A-Za-z0-9_-]{43}$/;
const FORM = z.object({ csrf: z.string() });

const sessions = new WeakMap<Request, PageSession>();

/** Looks up the session that a request's cookie names, for `sessionOf`; lets every request pass. */
export function readSession(deps: PageSessionDeps): RequestHandler {
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

/** What each form of the page carries in its hidden field `csrf`. */
export function csrfOf(session: PageSession): string {
  return session.csrfToken;
}

/**
 * For form posts, behind `readSession` and a body parser: only forms of our own pages in this very session pass,
 * everything else is a Refusal `forbidden`.
 */
export function requireCsrf(publicUrl: string): RequestHandler {
  return (request, _response, next) => {
    const form = FORM.safeParse(request.body);
    const expected = csrfOf(signedInOf(request));
    if (!isFromOurPages(request, publicUrl) || !form.success || !isEqual(form.data.csrf, expected)) {
      throw new Refusal(
        "forbidden",
        "画面の有効期限が切れました。ページを開き直して、もう一度お試しください。",
      );
    }
    next();
  };
}

/**
 * Begins a session of eight hours under a new id, so that an id known before the sign-in is worth nothing after it;
 * a session that the browser still has ends.
 */
export async function startSession(
  deps: PageSessionDeps,
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
export async function endSession(deps: PageSessionDeps, request: Request, response: Response): Promise<void> {
  await endStored(deps, request);
  response.clearCookie(cookieName(deps.publicUrl, "session"), cookieOptions(deps.publicUrl));
}

/** 256 random bits as 43 characters. */
export function randomToken(): string {
  return randomBytes(32).toString("base64url");
}

/** SHA-256, under which random tokens are stored. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** `__Host-` keeps other hosts of the domain from planting the cookie; browsers take it over https only. */
function cookieName(publicUrl: string, name: string): string {
  return isHttps(publicUrl) ? `__Host-torikomi_${name}` : `torikomi_${name}`;
}

/** The value of a cookie of the request, or null. */
export function readCookie(request: Request, publicUrl: string, name: string): string | null {
  const prefix = `${cookieName(publicUrl, name)}=`;
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length) ?? null;
}

/** A cookie that scripts cannot read and that other sites' forms do not send. */
export function setCookie(
  response: Response,
  publicUrl: string,
  { name, value, maxAgeMs }: { name: string; value: string; maxAgeMs: number },
): void {
  response.cookie(cookieName(publicUrl, name), value, { ...cookieOptions(publicUrl), maxAge: maxAgeMs });
}

async function endStored(deps: PageSessionDeps, request: Request): Promise<void> {
  const idHash = readSessionIdHash(deps, request);
  if (idHash !== null) await deps.sessions.end(idHash);
}

function readSessionIdHash(deps: PageSessionDeps, request: Request): Buffer | null {
  const id = readCookie(request, deps.publicUrl, "session");
  return id !== null && ID.test(id) ? hashOf(id) : null;
}

/** Lax, not Strict: the way back from the issuer and from DocuSign is a navigation that another site began. */
function cookieOptions(publicUrl: string): CookieOptions {
  return { httpOnly: true, secure: isHttps(publicUrl), sameSite: "lax", path: "/" };
}

function isHttps(publicUrl: string): boolean {
  return new URL(publicUrl).protocol === "https:";
}

/** `Sec-Fetch-Site` goes first: under a strict referrer policy browsers send `Origin: null` even to ourselves. */
function isFromOurPages(request: Request, publicUrl: string): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin } = request.headers;
  return origin === undefined || origin === new URL(publicUrl).origin;
}

function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(hashOf(given), hashOf(expected));
}
