import type { CookieOptions, Request, Response } from "express";

/** The value of the request's cookie, or null. */
export function readCookie(request: Request, publicUrl: string, name: string): string | null {
  const prefix = `${cookieName(publicUrl, name)}=`;
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length) ?? null;
}

/** Sets a cookie that scripts cannot read and that other sites' forms do not send. */
export function setCookie(
  response: Response,
  publicUrl: string,
  { name, value, maxAgeMs }: { name: string; value: string; maxAgeMs: number },
): void {
  response.cookie(cookieName(publicUrl, name), value, { ...cookieOptions(publicUrl), maxAge: maxAgeMs });
}

export function clearCookie(response: Response, publicUrl: string, name: string): void {
  response.clearCookie(cookieName(publicUrl, name), cookieOptions(publicUrl));
}

/** `__Host-` stops other hosts of the domain from planting the cookie. Browsers accept it over https only. */
function cookieName(publicUrl: string, name: string): string {
  return isHttps(publicUrl) ? `__Host-torikomi_${name}` : `torikomi_${name}`;
}

/** Lax, not Strict: returns from the issuer and from DocuSign are navigations that another site started. */
function cookieOptions(publicUrl: string): CookieOptions {
  return { httpOnly: true, secure: isHttps(publicUrl), sameSite: "lax", path: "/" };
}

function isHttps(publicUrl: string): boolean {
  return new URL(publicUrl).protocol === "https:";
}
