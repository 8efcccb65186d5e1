import type { Request, Response } from "express";
import { type SessionUses, sessionOf } from "../auth/session.ts";
import type { ResultCode } from "./sections/messages.ts";

/** Redirects to the page, which shows the outcome once: `?result=` stays in the address, but not its message. */
export async function showResult(
  { sessions }: SessionUses,
  request: Request,
  response: Response,
  result: ResultCode,
): Promise<void> {
  const session = sessionOf(request);
  if (session !== null) await sessions.keepResult(session.idHash, result);
  const query = new URLSearchParams({ result, ...(result === "group-not-found" && { edit: "1" }) });
  response.set("Cache-Control", "no-store").redirect(303, `/links?${query.toString()}`);
}

/** The outcome that the address names, if the session has not shown it yet. */
export async function takeResult({ sessions }: SessionUses, request: Request): Promise<string | null> {
  const session = sessionOf(request);
  const { result } = request.query;
  if (session === null || typeof result !== "string") return null;
  return (await sessions.takeResult(session.idHash, result)) ? result : null;
}
