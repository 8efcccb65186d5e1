import type { Answer, Exchange, Route } from "./exchange.ts";
import { apiDate } from "./formats.ts";
import type { Client } from "./login.ts";
import type { OAuth, TokenSet } from "./oauth.ts";
import type { DocuSignSchema } from "./schema.ts";
import type { DocuSignState, User } from "./state.ts";

export type TokenParts = {
  readonly state: DocuSignState;
  readonly oauth: OAuth;
  readonly client: Client;
  readonly problems: string[];
  readonly schema: DocuSignSchema | null;
  /** The origin of the API, which userinfo names. */
  readonly baseUri: () => string;
};

/** Tokens for codes and refresh tokens, and who the user of a token is. */
export function createTokenRoutes(parts: TokenParts): Route[] {
  return [
    {
      method: "POST",
      template: "/oauth/token",
      path: "/oauth/token",
      handle: (exchange) => checked(parts, giveToken(parts, exchange)),
    },
    {
      method: "GET",
      template: "/oauth/userinfo",
      path: "/oauth/userinfo",
      handle: (exchange) => checked(parts, tellUser(parts, exchange)),
    },
  ];
}

type OAuthAnswer = Answer & { readonly definition: string };

function giveToken(parts: TokenParts, { headers, body }: Exchange): OAuthAnswer {
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

/** Not `client_id`: with it in the body as well as in Authorization, DocuSign refuses the grant. */
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

function tellUser(parts: TokenParts, { headers }: Exchange): OAuthAnswer {
  const token = bearerToken(headers["authorization"]);
  const user = parts.oauth.userOf(token ?? "");
  if (user === "unknown") parts.problems.push("userinfo: an access token that was never issued");
  if (typeof user === "string") return oauthError(401, "invalid_token");
  return { status: 200, definition: "oauthUser", json: userinfo(parts, user) };
}

/** The token of a Bearer header; undefined if there is none. */
export function bearerToken(authorization: string | string[] | undefined): string | undefined {
  return typeof authorization === "string" ? /^Bearer (\S+)$/.exec(authorization)?.[1] : undefined;
}

function userinfo({ state, baseUri }: TokenParts, user: User): Record<string, unknown> {
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
      base_uri: state.accounts.get(accountId)?.moved?.site ?? baseUri(),
    })),
  };
}

function checked({ schema, problems }: TokenParts, { definition, ...answer }: OAuthAnswer): Answer {
  const wrong = schema?.valueProblems(definition, answer.json) ?? [];
  problems.push(...wrong.map((problem) => `answer (${definition}): ${problem}`));
  return answer;
}
