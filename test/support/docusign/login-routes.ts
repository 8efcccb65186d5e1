import type { Answer, Exchange, Route } from "./exchange.ts";
import {
  allowedRedirect,
  authorizationProblems,
  type Client,
  deniedRedirect,
  type LoginVerbs,
  loginPage,
} from "./login.ts";
import type { OAuth } from "./oauth.ts";
import type { DocuSignState, User } from "./state.ts";

export type LoginParts = {
  readonly state: DocuSignState;
  readonly oauth: OAuth;
  readonly client: Client;
  readonly problems: string[];
  /** The origin of the account server. */
  readonly origin: () => string;
};

/** The login page, for people and for tests that play them. */
export function createLoginRoutes(parts: LoginParts): { routes: Route[]; verbs: LoginVerbs } {
  const expected: User[] = [];
  let isRedirecting = false;
  const path = "/oauth/auth";
  return {
    routes: [
      {
        method: "GET",
        template: path,
        path,
        handle: (exchange) => {
          if (!isRedirecting) return showLogin(parts, exchange, expected.shift());
          isRedirecting = false;
          const host = new URL(parts.origin()).host.replace("127.0.0.1", "localhost");
          return redirect(`http://${host}${path}?${exchange.call.query.toString()}`);
        },
      },
      { method: "POST", template: path, path, handle: (exchange) => takeLogin(parts, exchange) },
    ],
    verbs: {
      nextLogin: (user) => void expected.push(user),
      redirectNextLogin: () => void (isRedirecting = true),
      authorize: async (url, user) => allowedRedirect(parts.oauth, user, authorizationQuery(parts, url)),
      deny: async (url) => deniedRedirect(authorizationQuery(parts, url)),
    },
  };
}

function authorizationQuery(parts: LoginParts, authorizationUrl: string): URLSearchParams {
  const url = new URL(authorizationUrl);
  const elsewhere =
    `${url.origin}${url.pathname}` === `${parts.origin()}/oauth/auth` ? [] : ["another address"];
  const problems = [...elsewhere, ...authorizationProblems(parts.client, url.searchParams)];
  parts.problems.push(...problems.map((problem) => `authorization: ${problem}`));
  if (problems.length > 0) throw new Error(`DocuSign would refuse: ${problems.join(", ")}`);
  return url.searchParams;
}

function showLogin(parts: LoginParts, { call }: Exchange, user: User | undefined): Answer {
  const refusal = refusedAuthorization(parts, call.query);
  if (refusal !== null) return refusal;
  if (user !== undefined) return redirect(allowedRedirect(parts.oauth, user, call.query));
  return { status: 200, html: loginPage(parts.state, call.query, "") };
}

function takeLogin(parts: LoginParts, { call, body }: Exchange): Answer {
  const refusal = refusedAuthorization(parts, call.query);
  if (refusal !== null) return refusal;
  const form = new URLSearchParams(body.toString());
  if (form.get("decision") === "deny") return redirect(deniedRedirect(call.query));
  const email = (form.get("email") ?? "").toLowerCase();
  const user = [...parts.state.users.values()].find((candidate) => candidate.email.toLowerCase() === email);
  if (user !== undefined) return redirect(allowedRedirect(parts.oauth, user, call.query));
  return {
    status: 200,
    html: loginPage(parts.state, call.query, "このメールアドレスのユーザーはいません。"),
  };
}

function refusedAuthorization(parts: LoginParts, query: URLSearchParams): Answer | null {
  const problems = authorizationProblems(parts.client, query);
  if (problems.length === 0) return null;
  parts.problems.push(...problems.map((problem) => `authorization: ${problem}`));
  return { status: 400, html: "<!doctype html><title>400</title><p>invalid_request</p>" };
}

function redirect(location: string): Answer {
  return { status: 302, headers: { Location: location } };
}
