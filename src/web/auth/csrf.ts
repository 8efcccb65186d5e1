import { timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { z } from "zod";
import { Refusal } from "../../domain/refusal.ts";
import { hashOf } from "./random-token.ts";
import { type SignedIn, signedInOf } from "./session.ts";

const FORM = z.object({ csrf: z.string() });

/** The token that each form of the page sends in its hidden field `csrf`. */
export function csrfOf(session: SignedIn): string {
  return session.csrfTokens[0];
}

/**
 * Accepts form posts only from our own pages and in the same session; refuses all others with `forbidden`. Needs
 * `readSession` and a body parser before it.
 */
export function requireCsrf(publicUrl: string): RequestHandler {
  return (request, _response, next) => {
    const form = FORM.safeParse(request.body);
    const { csrfTokens } = signedInOf(request);
    const isExpected = form.success && csrfTokens.some((token) => isEqual(form.data.csrf, token));
    if (!isFromOurPages(request, publicUrl) || !isExpected) {
      throw new Refusal(
        "forbidden",
        "画面の有効期限が切れました。ページを開き直して、もう一度お試しください。",
      );
    }
    next();
  };
}

/** Checks `Sec-Fetch-Site` first: under a strict referrer policy, browsers send `Origin: null` even to us. */
function isFromOurPages(request: Request, publicUrl: string): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin } = request.headers;
  return origin === undefined || origin === new URL(publicUrl).origin;
}

function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(hashOf(given), hashOf(expected));
}
