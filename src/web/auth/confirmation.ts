import type { Request, RequestHandler, Response } from "express";
import { Refusal } from "../../domain/refusal.ts";
import type { SignInIssuer } from "./issuer.ts";
import {
  confirmSession,
  endSession,
  leadToSignIn,
  readSession,
  requireSession,
  type SessionUses,
  type SignedIn,
  signedInOf,
} from "./session.ts";

export type ConfirmationUses = SessionUses & {
  readonly issuer: Pick<SignInIssuer, "canAskSilently" | "isReachable" | "refresh">;
};

const MINUTE_MS = 60_000;
/** After this time the next request asks the issuer again. */
const RENEW_MS = 10 * MINUTE_MS;
/** After this time nothing is shown or changed before the issuer has answered. */
const LIMIT_MS = 15 * MINUTE_MS;

const ENDED =
  "契約書キャビネットからログアウトしたか、この画面を利用する権限がなくなったため、ログアウトしました。操作は行われていません。もう一度ログインしてください。";
const NOT_CONFIRMED =
  "ログインの状態を確認できていないため、操作は行われていません。ページを開き直して、もう一度お試しください。";

/** Guards pages that need a session whose user the issuer has confirmed, and that browsers must not cache. */
export function requireSignIn(deps: ConfirmationUses): RequestHandler[] {
  return [noStore, readSession(deps), requireSession(deps), requireConfirmation(deps)];
}

/** Ends the session, because the issuer refuses its user. Throws `forbidden`: nothing was changed. */
export async function refuseSession(
  deps: SessionUses,
  request: Request,
  response: Response,
  cause?: unknown,
): Promise<never> {
  await endSession(deps, request, response);
  throw new Refusal("forbidden", ENDED, { cause });
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set("Cache-Control", "no-store");
  next();
};

/**
 * Asks the issuer again if the user still has tenant and role: with the refresh token, or by sending the browser to the
 * issuer, which answers without a page. While the issuer cannot be reached or asked, a session lives until its end.
 */
function requireConfirmation(deps: ConfirmationUses): RequestHandler {
  return async (request, response, next) => {
    const answer = await ask(deps, request);
    if (answer === "refused") await refuseSession(deps, request, response);
    if (answer === "ask-browser") askBrowser(deps, request, response);
    else next();
  };
}

type Answer = "valid" | "refused" | "ask-browser";

async function ask(deps: ConfirmationUses, request: Request): Promise<Answer> {
  const session = signedInOf(request);
  const age = deps.now().getTime() - session.verifiedAt.getTime();
  if (age < RENEW_MS) return "valid";
  const canWait = age < LIMIT_MS && !isNavigation(request);
  if (canWait && session.refreshToken === null) return "valid";
  if (!(await deps.issuer.isReachable())) return "valid";
  const answer = await askWithToken(deps, request, session);
  if (answer !== "unanswered") return answer;
  if (canWait) return "valid";
  return (await deps.issuer.canAskSilently()) ? "ask-browser" : "valid";
}

/**
 * Uses the refresh token once, because issuers replace it. It is taken out of the session first: without it, concurrent
 * requests and those after a crash ask by the browser.
 */
async function askWithToken(
  deps: ConfirmationUses,
  request: Request,
  { idHash, refreshToken, sealedRefreshToken, subject }: SignedIn,
): Promise<"valid" | "refused" | "unanswered"> {
  if (refreshToken === null || sealedRefreshToken === null) return "unanswered";
  if (!(await deps.sessions.takeRefreshToken(idHash, sealedRefreshToken))) return "unanswered";
  const answer = await deps.issuer.refresh(refreshToken);
  if (answer === "refused" || answer === "unanswered") return answer;
  if (answer.subject !== subject) return "refused";
  await confirmSession(deps, request, answer);
  return "valid";
}

/** Only a page can be sent to the issuer and back. A form or a script's request cannot. */
function askBrowser(deps: ConfirmationUses, request: Request, response: Response): void {
  if (!isNavigation(request)) throw new Refusal("forbidden", NOT_CONFIRMED);
  leadToSignIn(deps, request, response, { prompt: "none" });
}

function isNavigation({ method, headers }: Request): boolean {
  return method === "GET" && (headers["sec-fetch-dest"] ?? "document") === "document";
}
