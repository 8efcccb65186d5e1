import assert from "node:assert/strict";
import { challengeOf } from "../support/docusign/oauth.ts";
import {
  type DocuSignSimulator,
  type SimulatorOptions,
  startDocuSignSimulator,
} from "../support/docusign/simulator.ts";
import type { Account, User } from "../support/docusign/state.ts";

export const RETURN_ADDRESS = "https://torikomi.example/links/docusign/callback";
const VERIFIER = "a verifier of forty-three characters at the least";
const BASIC = `Basic ${Buffer.from("key:secret").toString("base64")}`;

/** A simulator with the client `key` / `secret`, whose clock stands unless a test says otherwise. */
export function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<DocuSignSimulator> {
  const now = (): Date => new Date("2026-03-31T15:20:00.540Z");
  return startDocuSignSimulator({
    clientId: "key",
    clientSecret: "secret",
    redirectUris: [RETURN_ADDRESS],
    now,
    ...options,
  });
}

/** An authorization request as it should be, with what the test changes; null leaves a parameter out. */
export function authorizationUrl(
  simulator: DocuSignSimulator,
  changes: Readonly<Record<string, string | null>> = {},
): string {
  const parameters = {
    response_type: "code",
    scope: "signature extended",
    client_id: "key",
    redirect_uri: RETURN_ADDRESS,
    state: "a state",
    prompt: "login",
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: "S256",
    ...changes,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== null) query.set(name, value);
  return `${simulator.url}/oauth/auth?${query.toString()}`;
}

export type Tokens = {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
};

/** Asks the token endpoint; the client's Authorization unless the test brings another. */
export async function askToken(
  simulator: DocuSignSimulator,
  form: Readonly<Record<string, string>>,
  authorization: string = BASIC,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const body = new URLSearchParams(form);
  const response = await fetch(`${simulator.url}/oauth/token`, {
    method: "POST",
    headers: { authorization },
    body,
  });
  return { status: response.status, json: await objectOf(response) };
}

/** Logs in as the user, the whole way. */
export async function logIn(simulator: DocuSignSimulator, user: User): Promise<Tokens> {
  const returned = new URL(await simulator.authorize(authorizationUrl(simulator), user));
  const code = returned.searchParams.get("code") ?? "";
  const { status, json } = await askToken(simulator, codeForm(code));
  assert.equal(status, 200);
  return tokensOf(json);
}

/** The form that turns a code into tokens. */
export function codeForm(code: string, verifier: string = VERIFIER): Record<string, string> {
  return { grant_type: "authorization_code", code, code_verifier: verifier };
}

/** The tokens in an answer of the token endpoint. */
export function tokensOf(json: Record<string, unknown>): Tokens {
  const text = (name: string): string => String(json[name]);
  return { access_token: text("access_token"), refresh_token: text("refresh_token"), scope: text("scope") };
}

export type ApiAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
};

/** Calls of the API for an account with the token of a user. */
export type Api = (path: string, init?: { method?: string; body?: unknown }) => Promise<ApiAnswer>;

/** Logs in and gives what calls the account's part of the API. */
export async function openApi(simulator: DocuSignSimulator, account: Account, user: User): Promise<Api> {
  const { access_token: token } = await logIn(simulator, user);
  return async (path, { method = "GET", body } = {}) => {
    const response = await fetch(addressOf(simulator, account, path), {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, json: await objectOf(response) };
  };
}

/** The address of a path of the API. */
export function addressOf(simulator: DocuSignSimulator, account: Account, path: string): string {
  return `${simulator.url}/restapi/v2.1/accounts/${account.accountId}${path}`;
}

/** The ids of the envelopes that a listing shows, in its order. */
export function idsOf({ json }: ApiAnswer): string[] {
  return rowsOf(json["envelopes"]).map((row) => String(row["envelopeId"]));
}

/** A list of objects in an answer; none where there is no list. */
export function rowsOf(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** The object at the end of a path of names. */
export function within(value: unknown, ...names: string[]): unknown {
  return names.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

async function objectOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  const value: unknown = text.startsWith("{") ? JSON.parse(text) : { text };
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
