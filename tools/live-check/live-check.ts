import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { configurationBody } from "../../src/docusign/api/connect-configuration.ts";
import { ASSUMPTIONS, type Evidence, fieldOf, judge } from "./assumptions.ts";
import { type Ask, createAsk, type Observed } from "./calls.ts";
import { type Delivery, type Landing, openLanding } from "./landing.ts";
import { createRedaction } from "./redact.ts";

const USAGE = `npm run live-check [-- --port N --public-url URL --minutes N --output FOLDER]

Compares what torikomi assumes about DocuSign with a DocuSign developer account, by at most 30 calls. Environment:
DOCUSIGN_CLIENT_ID, DOCUSIGN_CLIENT_SECRET, DOCUSIGN_OAUTH_URL (https://account-d.docusign.com), CONNECT_HMAC_KEYS.
Register http://localhost:PORT/callback as a redirect URI of the integration key, or URL/callback.

--port N          where the browser comes back to (3010)
--public-url URL  an address of this port that DocuSign reaches: also creates a Connect configuration, waits for a message
                  about an envelope that you complete meanwhile, and deletes the configuration
--minutes N       how long to wait for that message (10)
--output FOLDER   where the redacted answers go (live-check)`;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "3010" },
    "public-url": { type: "string" },
    minutes: { type: "string", default: "10" },
    output: { type: "string", default: "live-check" },
    help: { type: "boolean", default: false },
  },
});
const settings = z
  .object({
    DOCUSIGN_CLIENT_ID: z.string().min(1),
    DOCUSIGN_CLIENT_SECRET: z.string().min(1),
    DOCUSIGN_OAUTH_URL: z.url().default("https://account-d.docusign.com"),
    CONNECT_HMAC_KEYS: z.string().default(""),
  })
  .safeParse(process.env);
type Settings = NonNullable<typeof settings.data>;
type Basics = Settings & { readonly ask: Ask; readonly landing: Landing; readonly redirectUri: string };

async function run(environment: Settings): Promise<number> {
  await using landing = await openLanding(Number(values.port));
  const observed: Observed[] = [];
  const redirectUri = `${values["public-url"] ?? `http://localhost:${landing.port}`}/callback`;
  const basics = { ...environment, landing, redirectUri, ask: createAsk(observed) };
  const login = await logIn(basics);
  const delivery = login === null ? null : await lookAround(basics, login.accessToken);
  // Last, since DocuSign may end the whole authorization when an old token comes back.
  if (login !== null) await askForTokens(basics, "old refresh token", refreshing(login.oldRefreshToken));
  const evidence: Evidence = {
    answer: (name) => observed.find((one) => one.name === name) ?? null,
    delivery,
    hmacKeys: environment.CONNECT_HMAC_KEYS.split(",").filter((key) => key !== ""),
  };
  await store(observed, delivery);
  return printTable(evidence, observed.length);
}

type Login = { readonly accessToken: string; readonly oldRefreshToken: string };

/** Logs in, refreshes the tokens, and tries what must be rejected. Returns null without a login. */
async function logIn(basics: Basics): Promise<Login | null> {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    scope: "signature extended",
    client_id: basics.DOCUSIGN_CLIENT_ID,
    redirect_uri: basics.redirectUri,
    state: randomBytes(16).toString("base64url"),
    prompt: "login",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  print(
    `Log in as an administrator of the developer account:\n${basics.DOCUSIGN_OAUTH_URL}/oauth/auth?${query.toString()}`,
  );
  const code = (await basics.landing.returned).get("code");
  if (code === null) return null;
  const grant = { grant_type: "authorization_code", code, code_verifier: verifier };
  const first = await askForTokens(basics, "code", grant);
  const oldRefreshToken = String(fieldOf(first.body, "refresh_token"));
  const second = await askForTokens(basics, "refresh", refreshing(oldRefreshToken));
  const unknown = refreshing(randomUUID());
  await askForTokens(basics, "unknown refresh token", unknown);
  await askForTokens(basics, "wrong secret", unknown, randomUUID());
  const accessToken = fieldOf(second.body, "access_token") ?? fieldOf(first.body, "access_token");
  return typeof accessToken === "string" ? { accessToken, oldRefreshToken } : null;
}

function refreshing(refreshToken: string): Readonly<Record<string, string>> {
  return { grant_type: "refresh_token", refresh_token: refreshToken };
}

async function askForTokens(
  { ask, DOCUSIGN_OAUTH_URL: url, DOCUSIGN_CLIENT_ID: id, DOCUSIGN_CLIENT_SECRET }: Basics,
  name: string,
  form: Readonly<Record<string, string>>,
  secret = DOCUSIGN_CLIENT_SECRET,
): Promise<Observed> {
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` };
  return await ask({
    name,
    url: `${url}/oauth/token`,
    method: "POST",
    headers,
    body: new URLSearchParams(form),
  });
}

const userInfo = z.object({
  sub: z.string(),
  accounts: z.array(z.object({ account_id: z.string(), base_uri: z.url(), is_default: z.unknown() })).min(1),
});

/** Reads the account as torikomi does. Returns Connect's message if one was waited for. */
async function lookAround(basics: Basics, token: string): Promise<Delivery | null> {
  const headers = { authorization: `Bearer ${token}` };
  const info = await basics.ask({
    name: "userinfo",
    url: `${basics.DOCUSIGN_OAUTH_URL}/oauth/userinfo`,
    headers,
  });
  const user = userInfo.safeParse(info.body);
  if (!user.success) return null;
  const account =
    user.data.accounts.find(({ is_default: is }) => String(is) === "true") ?? user.data.accounts[0];
  const api = `${account?.base_uri}/restapi/v2.1/accounts/${account?.account_id}`;
  const get = async (name: string, path: string): Promise<Observed> =>
    await basics.ask({ name, url: `${api}${path}`, headers });
  await basics.ask({
    name: "unknown access token",
    url: `${api}/users/${user.data.sub}`,
    headers: { authorization: `Bearer ${randomUUID()}` },
  });
  await get("user", `/users/${user.data.sub}?additional_info=true`);
  await get("unknown envelope", `/envelopes/${randomUUID()}?include=recipients%2Cdocuments`);
  await readEnvelopes(get);
  await get("connect", "/connect");
  await basics.ask({ name: "unknown configuration", url: `${api}/connect/1`, method: "DELETE", headers });
  return values["public-url"] === undefined ? null : await hear(basics, api, headers);
}

type Get = (name: string, path: string) => Promise<Observed>;

const listed = z.object({
  envelopes: z.array(z.object({ envelopeId: z.string(), completedDateTime: z.string() })),
});
const documents = z.object({
  envelopeDocuments: z.array(z.object({ documentId: z.string(), type: z.string() })),
});

/** Lists, reads and downloads the oldest completed envelope of the last year. */
async function readEnvelopes(get: Get): Promise<void> {
  const now = new Date();
  const yearAgo = new Date(now.getTime() - 365 * 24 * 60 * 60 * 1000);
  const list = async (name: string, from: string, to: string): Promise<Observed> =>
    await get(
      name,
      `/envelopes?${new URLSearchParams({ from_date: from, to_date: to, from_to_status: "completed", status: "completed", order_by: "completed", order: "asc", count: "10", start_position: "0", include: "recipients,documents" }).toString()}`,
    );
  const page = await list("listing", yearAgo.toISOString(), now.toISOString());
  const [first] = listed.safeParse(page.body).data?.envelopes ?? [];
  if (first === undefined) return;
  await list("listing from its first row", first.completedDateTime, first.completedDateTime);
  const envelope = await get("envelope", `/envelopes/${first.envelopeId}?include=recipients%2Cdocuments`);
  const content = documents
    .safeParse(envelope.body)
    .data?.envelopeDocuments.find(({ type }) => type === "content");
  if (content !== undefined)
    await get("document", `/envelopes/${first.envelopeId}/documents/${content.documentId}`);
}

/** Creates a configuration as torikomi does, waits for a message, and deletes the configuration again. */
async function hear(
  { ask, landing }: Basics,
  api: string,
  authorization: Readonly<Record<string, string>>,
): Promise<Delivery | null> {
  const headers = { ...authorization, "content-type": "application/json" };
  const wanted = {
    id: null,
    type: "custom",
    name: "torikomi live check",
    enabled: true,
    userIds: [],
  } as const;
  const body = JSON.stringify(configurationBody({ ...wanted, url: `${values["public-url"]}/connect` }));
  const created = await ask({
    name: "created configuration",
    url: `${api}/connect`,
    method: "POST",
    headers,
    body,
  });
  const id = fieldOf(created.body, "connectId");
  if (typeof id !== "string") return null;
  print(`Complete an envelope of this account now; waiting for its message for ${values.minutes} minutes.`);
  const waited = AbortSignal.timeout(Number(values.minutes) * 60_000);
  const { promise: tooLate, resolve } = Promise.withResolvers<null>();
  waited.addEventListener("abort", () => resolve(null));
  try {
    return await Promise.race([landing.delivered, tooLate]);
  } finally {
    await ask({ name: "deleted configuration", url: `${api}/connect/${id}`, method: "DELETE", headers });
  }
}

/** Writes each answer's body as the tests of `test/docusign` read it, and its status and headers beside it. */
async function store(observed: readonly Observed[], delivery: Delivery | null): Promise<void> {
  const redaction = createRedaction();
  await mkdir(values.output, { recursive: true });
  const write = async (name: string, content: unknown): Promise<void> =>
    await writeFile(join(values.output, name), `${JSON.stringify(content, null, 2)}\n`);
  for (const { name, status, headers, body } of observed) {
    const file = name.replaceAll(" ", "-");
    await write(`${file}.json`, redaction.body(body));
    await write(`${file}.answer.json`, { status, headers: redaction.headers(headers) });
  }
  if (delivery === null) return;
  await write("connect-message.json", redaction.body(JSON.parse(delivery.body.toString("utf8"))));
  const single = Object.entries(delivery.headers).map(([name, value]) => [name, String(value)]);
  await write("connect-message.answer.json", { headers: redaction.headers(Object.fromEntries(single)) });
}

/** Returns 1 if something is different from what is assumed. */
function printTable(evidence: Evidence, calls: number): number {
  const rows = ASSUMPTIONS.map((assumption) => ({ ...assumption, ...judge(assumption, evidence) }));
  print(`\n| assumed | seen | |\n|---|---|---|`);
  for (const { assumed, seen, outcome } of rows) print(`| ${assumed} | ${seen} | ${outcome} |`);
  print(`\n${calls} calls; redacted answers in ${values.output}`);
  return rows.some(({ outcome }) => outcome === "different") ? 1 : 0;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (values.help || !settings.success) {
  process.stdout.write(`${USAGE}\n`);
  process.exitCode = values.help ? 0 : 64;
} else {
  process.exitCode = await run(settings.data);
}
