import type { Request } from "express";
import { csrfOf } from "../auth/csrf.ts";
import { sessionOf, signedInOf } from "../auth/session.ts";
import type { Visitor } from "../html/layout.ts";

/** The user who views a page behind the sign-in. */
export function visitorOf(request: Request): Visitor {
  const session = signedInOf(request);
  return { name: session.name, isOwner: session.role === "owner", csrf: csrfOf(session) };
}

/** As `visitorOf`; null if the request has no session, or none was looked up. */
export function visitorOrNull(request: Request): Visitor | null {
  return sessionOf(request) === null ? null : visitorOf(request);
}
