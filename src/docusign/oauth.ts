import { z } from "zod";
import type { AccountId, UserId } from "../domain/identifiers.ts";
import { type Answer, faultOfAnswer, faultOfSilence, isHtml } from "./faults/answer-faults.ts";
import { DocuSignFault, isOurCredentialsFault, isTransient } from "./faults/faults.ts";
import { parseAnswer, unreadableAnswer } from "./wire/answers.ts";
import { accountIdField, countField, flagField, rowsField, textField, userIdField } from "./wire/fields.ts";

export type DocuSignOAuthOptions = {
  /** The account server, such as `https://account.docusign.com`. */
  readonly oauthUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** Time limit of a whole call; 30 s by default. */
  readonly timeoutMs?: number;
  readonly now?: () => Date;
};

export type Tokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
};

/** The user who logged in and the user's DocuSign accounts. */
export type DocuSignUser = {
  readonly userId: UserId;
  readonly name: string;
  readonly email: string | null;
  readonly accounts: readonly {
    readonly accountId: AccountId;
    readonly name: string;
    /** Without `/restapi` and without a trailing slash. */
    readonly baseUri: string;
    readonly isDefault: boolean;
  }[];
};

export type DocuSignOAuth = {
  /** The address for the browser. It forces a new login, even if DocuSign has a session (import-rules 5). */
  readonly authorizationUrl: (request: { readonly state: string; readonly codeChallenge: string }) => string;
  /** Exchanges an authorization code for tokens. Throws `authorization-gone` if the code is expired or used. */
  readonly exchangeCode: (returned: {
    readonly code: string;
    readonly codeVerifier: string;
  }) => Promise<Tokens>;
  /**
   * Returns new tokens for a refresh token. Throws `authorization-gone` if the token is revoked or expired. A rejection
   * with an unknown code counts as that too: the codes for closed users are not documented (facts 6).
   */
  readonly refresh: (refreshToken: string) => Promise<Tokens>;
  readonly getUserInfo: (accessToken: string) => Promise<DocuSignUser>;
};

/** Opens DocuSign's account server for one integration. Throws `DocuSignFault`, which holds no tokens or secrets. */
export function createDocuSignOAuth(options: DocuSignOAuthOptions): DocuSignOAuth {
  const oauthUrl = options.oauthUrl.replace(/\/+$/, "");
  const tokens = async (form: Readonly<Record<string, string>>, isGone: IsGone): Promise<unknown> => {
    const init = {
      method: "POST",
      // DocuSign rejects the grant if the body contains a `client_id` as well.
      headers: { authorization: `Basic ${base64(`${options.clientId}:${options.clientSecret}`)}` },
      body: new URLSearchParams(form),
    };
    const faultOf: FaultOf = (answer, now) => ofGrant(faultOfAnswer(answer, now), answer, isGone);
    return await ask(options, { url: `${oauthUrl}/oauth/token`, init, faultOf });
  };
  return {
    authorizationUrl: (request) => `${oauthUrl}/oauth/auth?${authorizationQuery(options, request)}`,
    exchangeCode: async ({ code, codeVerifier }) => {
      const form = { grant_type: "authorization_code", code, code_verifier: codeVerifier };
      return readTokens(await tokens(form, isNamedGone), null);
    },
    refresh: async (refreshToken) => {
      const form = { grant_type: "refresh_token", refresh_token: refreshToken };
      return readTokens(await tokens(form, isRefusedForGood), refreshToken);
    },
    getUserInfo: async (accessToken) => {
      const init = { headers: { authorization: `Bearer ${accessToken}` } };
      return readUserInfo(
        await ask(options, { url: `${oauthUrl}/oauth/userinfo`, init, faultOf: faultOfAnswer }),
      );
    },
  };
}

function authorizationQuery(
  { clientId, redirectUri }: DocuSignOAuthOptions,
  { state, codeChallenge }: Parameters<DocuSignOAuth["authorizationUrl"]>[0],
): string {
  const query = {
    response_type: "code",
    // Without `extended`, the authorization ends 30 days after the login (design decision 19).
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

type FaultOf = typeof faultOfAnswer;
type Question = { readonly url: string; readonly init: RequestInit; readonly faultOf: FaultOf };

async function ask(options: DocuSignOAuthOptions, { url, init, faultOf }: Question): Promise<unknown> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  try {
    const response = await fetch(url, { ...init, signal, redirect: "error" });
    const answer = { status: response.status, headers: response.headers, body: await response.text() };
    if (!response.ok || isHtml(answer)) throw faultOf(answer, (options.now ?? newDate)());
    return parseJson(answer.body);
  } catch (error) {
    throw faultOfSilence(error);
  }
}

/** Returns true if a rejection with this code means that the authorization is gone. */
type IsGone = (code: string, answer: Answer) => boolean;

/** If the grant is not gone, any other answer of the account server is treated as transient, whatever its status. */
function ofGrant(fault: DocuSignFault, answer: Answer, isGone: IsGone): DocuSignFault {
  if (isTransient(fault) || isOurCredentialsFault(fault)) return fault;
  const { code, httpStatus } = fault;
  if (!isGone(code, answer)) return new DocuSignFault("later", code, { httpStatus });
  return new DocuSignFault("authorization-gone", code, { httpStatus, refused: "tokens" });
}

function isNamedGone(code: string): boolean {
  return /^(invalid_grant|consent_required)$/i.test(code);
}

const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);
/** Codes about our own client or request, not about the user's token (RFC 6749 5.2). */
const OUR_MISTAKE = /^(invalid_request|invalid_scope|unsupported_(grant|response)_type|\w+_client)$/i;

/**
 * If a closed user's rejection counted as transient, the link could be neither repaired nor ended. A transient rejection
 * that counts as final costs at most an hour, since each hour asks again. An answer that is not JSON comes from a proxy.
 */
function isRefusedForGood(code: string, { status, body }: Answer): boolean {
  if (isNamedGone(code)) return true;
  return REFUSALS.has(status) && !OUR_MISTAKE.test(code) && (body === "" || isJson(body));
}

function isJson(body: unknown): boolean {
  try {
    JSON.parse(String(body));
    return true;
  } catch {
    return false;
  }
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
  // An empty token counts as absent. The access token beside it is still valid.
  refresh_token: textField,
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
