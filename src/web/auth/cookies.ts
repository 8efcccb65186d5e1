import type { CookieOptions, Request, Response } from "express";

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

/** Has the browser forget the cookie. */
export function clearCookie(response: Response, publicUrl: string, name: string): void {
  response.clearCookie(cookieName(publicUrl, name), cookieOptions(publicUrl));
}

/** `__Host-` keeps other hosts of the domain from planting the cookie; browsers take it over https only. */
function cookieName(publicUrl: string, name: string): string {
  return isHttps(publicUrl) ? `__Host-torikomi_${name}` : `torikomi_${name}`;
}

/** Lax, not Strict: the way back from the issuer and from DocuSign is a navigation that another site began. */
function cookieOptions(publicUrl: string): CookieOptions {
  return { httpOnly: true, secure: isHttps(publicUrl), sameSite: "lax", path: "/" };
}

function isHttps(publicUrl: string): boolean {
  return new URL(publicUrl).protocol === "https:";
}
