import { z } from "zod";
import type { AccountId, UserId } from "../domain/identifiers.ts";
import {
  DocuSignFault,
  faultOfAnswer,
  faultOfSilence,
  isHtml,
  isOfTheIntegration,
  passes,
} from "./faults.ts";
import { parseAnswer, unreadableAnswer } from "./wire.ts";
import { accountIdField, countField, flagField, rowsField, textField, userIdField } from "./wire-fields.ts";

export type DocuSignOAuthOptions = {
  /** The account server, such as `https://account.docusign.com`. */
  readonly oauthUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** How long a whole call may take, 30 s where not given. */
  readonly timeoutMs?: number;
  readonly now?: () => Date;
};

export type Tokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
};

/** Who logged in, and what DocuSign accounts they belong to. */
export type DocuSignUser = {
  readonly userId: UserId;
  readonly name: string;
  readonly email: string | null;
  readonly accounts: readonly {
    readonly accountId: AccountId;
    readonly name: string;
    /** Without `/restapi` and without slash at the end. */
    readonly baseUri: string;
    readonly isDefault: boolean;
  }[];
};

export type DocuSignOAuth = {
  /** Where to send the browser: logs in afresh, whoever DocuSign remembers (import-rules 5). */
  readonly authorizationUrl: (request: { readonly state: string; readonly codeChallenge: string }) => string;
  /** Tokens for the code of a return; a code that is stale or used is `authorization-gone`. */
  readonly exchangeCode: (returned: {
    readonly code: string;
    readonly codeVerifier: string;
  }) => Promise<Tokens>;
  /** New tokens for a refresh token; one that was revoked or ran out is `authorization-gone`. */
  readonly refresh: (refreshToken: string) => Promise<Tokens>;
  readonly getUserInfo: (accessToken: string) => Promise<DocuSignUser>;
};

/** DocuSign's account server, to one integration. Faults are `DocuSignFault`, with neither tokens nor secrets. */
export function createDocuSignOAuth(options: DocuSignOAuthOptions): DocuSignOAuth {
  const oauthUrl = options.oauthUrl.replace(/\/+$/, "");
  const tokens = async (form: Readonly<Record<string, string>>): Promise<unknown> => {
    const request = {
      method: "POST",
      // The key goes into this header alone: with a `client_id` in the body as well, DocuSign refuses the grant.
      headers: { authorization: `Basic ${base64(`${options.clientId}:${options.clientSecret}`)}` },
      body: new URLSearchParams(form),
    };
    return await ask(options, `${oauthUrl}/oauth/token`, request).catch((error: unknown) => {
      throw ofGrant(error);
    });
  };
  return {
    authorizationUrl: (request) => `${oauthUrl}/oauth/auth?${authorizationQuery(options, request)}`,
    exchangeCode: async ({ code, codeVerifier }) =>
      readTokens(await tokens({ grant_type: "authorization_code", code, code_verifier: codeVerifier }), null),
    refresh: async (refreshToken) =>
      readTokens(await tokens({ grant_type: "refresh_token", refresh_token: refreshToken }), refreshToken),
    getUserInfo: async (accessToken) => {
      const headers = { authorization: `Bearer ${accessToken}` };
      return readUserInfo(await ask(options, `${oauthUrl}/oauth/userinfo`, { headers }));
    },
  };
}

function authorizationQuery(
  { clientId, redirectUri }: DocuSignOAuthOptions,
  { state, codeChallenge }: Parameters<DocuSignOAuth["authorizationUrl"]>[0],
): string {
  const query = {
    response_type: "code",
    // Without `extended`, a link would die 30 days after the login (design decision 19).
    scope: "signature extended",
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    prompt: "login",
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
  };
  return Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
}

async function ask(options: DocuSignOAuthOptions, url: string, request: RequestInit): Promise<unknown> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  try {
    const response = await fetch(url, { ...request, signal, redirect: "error" });
    const answer = { status: response.status, headers: response.headers, body: await response.text() };
    if (!response.ok || isHtml(answer)) throw faultOfAnswer(answer, (options.now ?? newDate)());
    return parseJson(answer.body);
  } catch (error) {
    throw faultOfSilence(error);
  }
}

/** Only by name a grant is gone: whatever else the account server says of it, with whatever status, may pass. */
function ofGrant(error: unknown): unknown {
  if (!(error instanceof DocuSignFault) || passes(error) || isOfTheIntegration(error)) return error;
  const { code, httpStatus } = error;
  return /^(invalid_grant|consent_required)$/i.test(code)
    ? error
    : new DocuSignFault("later", code, { httpStatus });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function newDate(): Date {
  return new Date();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadableAnswer();
  }
}

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish(),
  expires_in: countField,
});

function readTokens(raw: unknown, refreshed: string | null): Tokens {
  const answer = parseAnswer(tokenAnswer, raw);
  const refreshToken = answer.refresh_token ?? refreshed;
  if (refreshToken === null) throw unreadableAnswer();
  return { accessToken: answer.access_token, refreshToken, expiresInSeconds: answer.expires_in ?? 28_800 };
}

const userInfoAnswer = z.object({ sub: userIdField, name: textField, email: textField, accounts: rowsField });
const accountRow = z.object({
  account_id: accountIdField,
  account_name: textField,
  base_uri: textField,
  is_default: flagField,
});

function readUserInfo(raw: unknown): DocuSignUser {
  const { sub: userId, name, email, accounts } = parseAnswer(userInfoAnswer, raw);
  if (userId === null) throw unreadableAnswer();
  return { userId, name: name ?? "", email, accounts: (accounts ?? []).flatMap(readAccount) };
}

function readAccount(raw: unknown): DocuSignUser["accounts"] {
  const row = accountRow.parse(raw);
  if (row.account_id === null || row.base_uri === null) return [];
  const baseUri = row.base_uri.replace(/\/+$/, "");
  return [{ accountId: row.account_id, name: row.account_name ?? "", baseUri, isDefault: row.is_default }];
}
