import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { DocuSignFault } from "../../src/docusign/faults/faults.ts";
import { createDocuSignOAuth, type DocuSignOAuth } from "../../src/docusign/oauth.ts";
import { type Reply, startServer } from "./http-server.ts";

const RETURNED = { code: "the-code", codeVerifier: "the-verifier" };
const TOKENS = { access_token: "access", refresh_token: "refresh-2", expires_in: 3600, token_type: "Bearer" };

function open(oauthUrl: string, timeoutMs = 5_000): DocuSignOAuth {
  return createDocuSignOAuth({
    oauthUrl,
    clientId: "integration key",
    clientSecret: "sécret",
    redirectUri: "https://torikomi.example/links/docusign/callback",
    timeoutMs,
  });
}

function isFault(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DocuSignFault, String(error));
    assert.deepEqual([error.kind, error.code], [kind, code]);
    assert.doesNotMatch(inspect(error, { depth: 10 }), /the-code|the-verifier|refresh-1|sécret/);
    return true;
  };
}

test("the browser is sent to a fresh login with PKCE", () => {
  const url = open("https://account-d.docusign.com/").authorizationUrl({
    state: "a&b",
    codeChallenge: "xyz",
  });

  assert.equal(
    url,
    "https://account-d.docusign.com/oauth/auth?response_type=code&scope=signature%20extended&client_id=integration%20key" +
      "&redirect_uri=https%3A%2F%2Ftorikomi.example%2Flinks%2Fdocusign%2Fcallback&state=a%26b&prompt=login" +
      "&code_challenge=xyz&code_challenge_method=S256",
  );
});

test("a code is exchanged with its verifier, with the secret only in the header", async () => {
  await using server = await startServer(() => ({ body: TOKENS }));

  const tokens = await open(server.url).exchangeCode(RETURNED);

  assert.deepEqual(tokens, { accessToken: "access", refreshToken: "refresh-2", expiresInSeconds: 3600 });
  const [request] = server.received;
  assert.deepEqual([request?.method, request?.path], ["POST", "/oauth/token"]);
  assert.match(request?.headers["content-type"] ?? "", /^application\/x-www-form-urlencoded/);
  assert.equal(
    request?.headers.authorization,
    `Basic ${Buffer.from("integration key:sécret").toString("base64")}`,
  );
  assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
    grant_type: "authorization_code",
    code: "the-code",
    code_verifier: "the-verifier",
  });
});

test("a refresh returns a new refresh token", async () => {
  await using server = await startServer(() => ({ body: TOKENS }));

  const tokens = await open(server.url).refresh("refresh-1");

  assert.deepEqual(tokens, { accessToken: "access", refreshToken: "refresh-2", expiresInSeconds: 3600 });
  assert.equal(server.received[0]?.body, "grant_type=refresh_token&refresh_token=refresh-1");
});

for (const [what, refresh_token] of Object.entries({ no: undefined, "an empty": "", "a null": null })) {
  test(`a refresh that returns ${what} refresh token keeps the old one and uses the new access token`, async () => {
    const body = { access_token: "access-3", expires_in: "60", refresh_token };
    await using server = await startServer(() => ({ body }));

    const tokens = await open(server.url).refresh("refresh-1");

    assert.deepEqual(tokens, { accessToken: "access-3", refreshToken: "refresh-1", expiresInSeconds: 60 });
  });
}

test("tokens without a lifetime are valid for eight hours", async () => {
  await using server = await startServer(() => ({ body: { ...TOKENS, expires_in: undefined } }));

  assert.equal((await open(server.url).exchangeCode(RETURNED)).expiresInSeconds, 28_800);
});

const FAILURES: readonly (readonly [what: string, reply: Reply, kind: string, code: string])[] = [
  [
    "a revoked consent",
    { status: 400, body: { error: "invalid_grant", error_description: "expired_client_token" } },
    "authorization-gone",
    "invalid_grant",
  ],
  ["a wrong secret", { status: 400, body: { error: "invalid_client" } }, "never", "invalid_client"],
  ["a wrong request", { status: 400, body: { error: "invalid_request" } }, "later", "invalid_request"],
  // A closed user may cause any of these. If they counted as transient, the link would be dead without showing it.
  ["a rejection without a code", { status: 401 }, "authorization-gone", "http-401"],
  ["a rejection without a body", { status: 403, body: "" }, "authorization-gone", "http-403"],
  ["an unknown code", { status: 401, body: { error: "user_closed" } }, "authorization-gone", "user_closed"],
  ["a denial", { status: 400, body: { error: "access_denied" } }, "authorization-gone", "access_denied"],
  [
    "a client without permission",
    { status: 400, body: { error: "unauthorized_client" } },
    "never",
    "unauthorized_client",
  ],
  ["a wrong scope", { status: 400, body: { error: "invalid_scope" } }, "later", "invalid_scope"],
  [
    "an unsupported grant type",
    { status: 400, body: { error: "unsupported_grant_type" } },
    "later",
    "unsupported_grant_type",
  ],
  [
    "a busy server",
    { status: 400, body: { error: "temporarily_unavailable" } },
    "later",
    "temporarily_unavailable",
  ],
  ["a server in error", { status: 400, body: { error: "server_error" } }, "later", "server_error"],
  ["an HTML page with status 403", { status: 403, body: "<html>" }, "later", "html"],
  ["a rejection by another server", { status: 403, body: "Forbidden" }, "later", "http-403"],
  ["an unknown address", { status: 404 }, "later", "http-404"],
  ["a broken server", { status: 502, body: "<html>" }, "later", "html"],
  ["an HTML page with status 200", { body: "<html>" }, "later", "html"],
  ["too many calls", { status: 429 }, "throttled", "http-429"],
  ["a response that is not JSON", { body: "OK" }, "later", "unreadable-answer"],
  ["a response without a token", { body: { token_type: "Bearer" } }, "later", "unreadable-answer"],
  ["a lost connection", (response) => response.destroy(), "later", "network"],
];

for (const [what, reply, kind, code] of FAILURES) {
  test(`${what} during a refresh is ${kind}`, async () => {
    await using server = await startServer(() => reply);

    await assert.rejects(open(server.url).refresh("refresh-1"), isFault(kind, code));
  });
}

test("a code rejected with an unknown error does not mean that the authorization is revoked", async () => {
  await using server = await startServer(() => ({ status: 401, body: { error: "user_closed" } }));

  await assert.rejects(open(server.url).exchangeCode(RETURNED), isFault("later", "user_closed"));
});

test("secrets are not sent along with a redirect", async () => {
  await using server = await startServer(({ path }) =>
    path === "/oauth/token" ? { status: 307, headers: { location: "/elsewhere" } } : { body: TOKENS },
  );

  await assert.rejects(open(server.url).refresh("refresh-1"), isFault("later", "network"));

  assert.equal(server.received.length, 1);
});

for (const [what, refresh_token] of Object.entries({ no: undefined, "an empty": "" })) {
  test(`a code that returns ${what} refresh token cannot create a link`, async () => {
    await using server = await startServer(() => ({ body: { access_token: "access", refresh_token } }));

    await assert.rejects(open(server.url).exchangeCode(RETURNED), isFault("later", "unreadable-answer"));
  });
}

test("a call to a server that is silent or stalls half-way times out", async () => {
  await using server = await startServer((_, count) => (response) => {
    if (count === 1) return;
    response.writeHead(200, { "content-length": "100" });
    response.write("{");
  });

  await assert.rejects(open(server.url, 50).refresh("refresh-1"), isFault("later", "timeout"));
  await assert.rejects(open(server.url, 50).exchangeCode(RETURNED), isFault("later", "timeout"));
});

test("a user is read with their accounts", async () => {
  const accounts = [
    {
      account_id: "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA",
      account_name: "甲社",
      is_default: true,
      base_uri: "https://jp1.docusign.net/",
    },
    {
      account_id: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
      account_name: "乙社",
      is_default: "false",
      base_uri: "https://eu.docusign.net",
    },
    { account_id: "123", account_name: "?", is_default: "true", base_uri: "https://eu.docusign.net" },
  ];
  const body = {
    sub: "11111111-1111-4111-8111-111111111111",
    name: "佐藤 太郎",
    email: "taro@example.jp",
    created: "2015-08-13T22:03:03.45",
    accounts,
  };
  await using server = await startServer(() => ({ body }));

  const user = await open(server.url).getUserInfo("access");

  assert.deepEqual(user, {
    userId: "11111111-1111-4111-8111-111111111111",
    name: "佐藤 太郎",
    email: "taro@example.jp",
    accounts: [
      {
        accountId: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
        name: "甲社",
        baseUri: "https://jp1.docusign.net",
        isDefault: true,
      },
      {
        accountId: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
        name: "乙社",
        baseUri: "https://eu.docusign.net",
        isDefault: false,
      },
    ],
  });
  assert.deepEqual(
    [server.received[0]?.path, server.received[0]?.headers.authorization],
    ["/oauth/userinfo", "Bearer access"],
  );
});

test("the default account may be marked by a string", async () => {
  const account = {
    account_id: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
    is_default: "True",
    base_uri: "https://eu.docusign.net",
  };
  await using server = await startServer(() => ({
    body: { sub: "11111111-1111-4111-8111-111111111111", accounts: [account] },
  }));

  assert.equal((await open(server.url).getUserInfo("access")).accounts[0]?.isDefault, true);
});

test("a token that userinfo rejects means that the authorization is revoked", async () => {
  await using server = await startServer(() => ({ status: 401, body: { error: "invalid_token" } }));

  await assert.rejects(
    open(server.url).getUserInfo("access"),
    isFault("authorization-gone", "invalid_token"),
  );
});
