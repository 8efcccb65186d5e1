import type { Answer, Exchange, Route } from "./exchange.ts";
import { apiDate } from "./formats.ts";
import {
  allowedRedirect,
  authorizationProblems,
  type Client,
  deniedRedirect,
  type LoginVerbs,
  loginPage,
} from "./login.ts";
import type { OAuth, TokenSet } from "./oauth.ts";
import type { DocuSignSchema } from "./schema.ts";
import type { DocuSignState, User } from "./state.ts";

export type OAuthParts = {
  readonly state: DocuSignState;
  readonly oauth: OAuth;
  readonly client: Client;
  readonly problems: string[];
  readonly schema: DocuSignSchema | null;
  /** The origin of the API, which userinfo names. */
  readonly baseUri: () => string;
};

/** The account server: login page, tokens, and who the user is. */
export function createOAuthRoutes(parts: OAuthParts): { routes: Route[]; verbs: LoginVerbs } {
  const expected: User[] = [];
  const path = (template: Route["template"]): Pick<Route, "template" | "path"> => ({
    template,
    path: template,
  });
  return {
    routes: [
      {
        method: "GET",
        ...path("/oauth/auth"),
        handle: (exchange) => showLogin(parts, exchange, expected.shift()),
      },
      { method: "POST", ...path("/oauth/auth"), handle: (exchange) => takeLogin(parts, exchange) },
      {
        method: "POST",
        ...path("/oauth/token"),
        handle: (exchange) => checked(parts, giveToken(parts, exchange)),
      },
      {
        method: "GET",
        ...path("/oauth/userinfo"),
        handle: (exchange) => checked(parts, tellUser(parts, exchange)),
      },
    ],
    verbs: {
      nextLogin: (user) => void expected.push(user),
      authorize: async (url, user) => allowedRedirect(parts.oauth, user, authorizationQuery(parts, url)),
      deny: async (url) => deniedRedirect(authorizationQuery(parts, url)),
    },
  };
}

function authorizationQuery(parts: OAuthParts, authorizationUrl: string): URLSearchParams {
  const url = new URL(authorizationUrl);
  const elsewhere =
    `${url.origin}${url.pathname}` === `${parts.baseUri()}/oauth/auth` ? [] : ["another address"];
  const problems = [...elsewhere, ...authorizationProblems(parts.client, url.searchParams)];
  parts.problems.push(...problems.map((problem) => `authorization: ${problem}`));
  if (problems.length > 0) throw new Error(`DocuSign would refuse: ${problems.join(", ")}`);
  return url.searchParams;
}

function showLogin(parts: OAuthParts, { call }: Exchange, user: User | undefined): Answer {
  const refusal = refusedAuthorization(parts, call.query);
  if (refusal !== null) return refusal;
  if (user !== undefined) return redirect(allowedRedirect(parts.oauth, user, call.query));
  return { status: 200, html: loginPage(parts.state, call.query, "") };
}

function takeLogin(parts: OAuthParts, { call, body }: Exchange): Answer {
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

function refusedAuthorization(parts: OAuthParts, query: URLSearchParams): Answer | null {
  const problems = authorizationProblems(parts.client, query);
  if (problems.length === 0) return null;
  parts.problems.push(...problems.map((problem) => `authorization: ${problem}`));
  return { status: 400, html: "<!doctype html><title>400</title><p>invalid_request</p>" };
}

function redirect(location: string): Answer {
  return { status: 302, headers: { Location: location } };
}

type OAuthAnswer = Answer & { readonly definition: string };

function giveToken(parts: OAuthParts, { headers, body }: Exchange): OAuthAnswer {
  const form = new URLSearchParams(body.toString());
  const problem = tokenRequestProblem(parts.client, headers["authorization"], form);
  if (problem !== null) {
    parts.problems.push(`token: ${problem}`);
    return problem.startsWith("client")
      ? oauthError(400, "invalid_grant")
      : oauthError(401, "invalid_client");
  }
  const refreshing = form.get("grant_type") === "refresh_token";
  const tokens = refreshing
    ? parts.oauth.refresh(form.get("refresh_token") ?? "")
    : parts.oauth.exchangeCode(
        form.get("code") ?? "",
        form.get("code_verifier") ?? "",
        form.get("redirect_uri"),
      );
  if (tokens === null)
    return oauthError(400, "invalid_grant", refreshing ? "expired_client_token" : undefined);
  return tokenAnswer(tokens, refreshing);
}

const TOKEN_PARAMETERS: Record<string, readonly string[]> = {
  authorization_code: ["grant_type", "code", "code_verifier", "redirect_uri"],
  refresh_token: ["grant_type", "refresh_token"],
};

function tokenRequestProblem(
  client: Client,
  authorization: string | string[] | undefined,
  form: URLSearchParams,
): string | null {
  const basic = Buffer.from(`${client.clientId}:${client.clientSecret}`).toString("base64");
  if (authorization !== `Basic ${basic}`) return "Authorization is not the client's";
  if (form.has("client_id")) return "client_id belongs into Authorization only";
  const known = TOKEN_PARAMETERS[form.get("grant_type") ?? ""];
  if (known === undefined) return "client asks for an unknown grant_type";
  const unknown = [...form.keys()].filter((name) => !known.includes(name));
  return unknown.length === 0 ? null : `client sends unknown ${unknown.join(", ")}`;
}

function tokenAnswer({ accessToken, refreshToken, scopes }: TokenSet, refreshed: boolean): OAuthAnswer {
  return {
    status: 200,
    definition: "tokenAnswer",
    json: {
      access_token: accessToken,
      token_type: "Bearer",
      refresh_token: refreshToken,
      expires_in: 28_800,
      // A refreshed token may name less than it is good for.
      scope: refreshed ? "signature" : scopes.join(" "),
    },
  };
}

function oauthError(status: number, error: string, description?: string): OAuthAnswer {
  const json = { error, ...(description === undefined ? {} : { error_description: description }) };
  return { status, definition: "oauthError", json };
}

function tellUser(parts: OAuthParts, { headers }: Exchange): OAuthAnswer {
  const token = bearerToken(headers["authorization"]);
  const user = parts.oauth.userOf(token ?? "");
  if (user === "unknown") parts.problems.push("userinfo: an access token that was never issued");
  if (typeof user === "string") return oauthError(401, "invalid_token");
  return { status: 200, definition: "oauthUser", json: userinfo(parts, user) };
}

/** The token of a Bearer header; undefined where there is none. */
export function bearerToken(authorization: string | string[] | undefined): string | undefined {
  return typeof authorization === "string" ? /^Bearer (\S+)$/.exec(authorization)?.[1] : undefined;
}

function userinfo({ state, baseUri }: OAuthParts, user: User): Record<string, unknown> {
  const memberships = [...user.memberships].filter(([, { status }]) => status !== "Closed");
  return {
    sub: user.userId,
    name: user.name,
    given_name: user.name,
    family_name: user.name,
    created: apiDate(new Date(0)),
    email: user.email,
    accounts: memberships.map(([accountId]) => ({
      account_id: accountId,
      is_default: accountId === user.defaultAccountId,
      account_name: state.accounts.get(accountId)?.name,
      base_uri: baseUri(),
    })),
  };
}

function checked({ schema, problems }: OAuthParts, { definition, ...answer }: OAuthAnswer): Answer {
  const wrong = schema?.valueProblems(definition, answer.json) ?? [];
  problems.push(...wrong.map((problem) => `answer (${definition}): ${problem}`));
  return answer;
}
