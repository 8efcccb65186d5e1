import assert from "node:assert/strict";
import { test } from "node:test";
import {
  askToken,
  authorizationUrl,
  codeForm,
  logIn,
  openApi,
  RETURN_ADDRESS,
  startSimulator,
  tokensOf,
} from "./client.ts";

test("a user who allows is sent back with code and state, and the code gives tokens that work", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount({ name: "株式会社甲" });
  const other = simulator.addAccount();
  const user = simulator.addUser(account, { name: "山田", email: "yamada@example.com", role: "DS Admin" });
  simulator.addMembership(other, user, { role: "DS Viewer" });

  const returned = new URL(await simulator.authorize(authorizationUrl(simulator), user));
  const answer = await askToken(simulator, codeForm(returned.searchParams.get("code") ?? ""));
  const tokens = tokensOf(answer.json);
  const userinfo = await fetch(`${simulator.url}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });

  assert.equal(`${returned.origin}${returned.pathname}`, RETURN_ADDRESS);
  assert.equal(returned.searchParams.get("state"), "a state");
  assert.equal(answer.json["expires_in"], 28_800);
  assert.deepEqual(await userinfo.json(), {
    sub: user.userId,
    name: "山田",
    given_name: "山田",
    family_name: "山田",
    created: "1970-01-01T00:00:00.0000000Z",
    email: "yamada@example.com",
    accounts: [
      {
        account_id: account.accountId,
        is_default: true,
        account_name: "株式会社甲",
        base_uri: simulator.url,
      },
      { account_id: other.accountId, is_default: false, account_name: other.name, base_uri: simulator.url },
    ],
  });
  simulator.assertNoProblems();
});

test("the login page lets a person choose who they are, and go back", async () => {
  await using simulator = await startSimulator();
  const user = simulator.addUser(simulator.addAccount(), {
    name: "山田 <b>",
    email: "yamada@example.com",
    role: "DS Admin",
  });
  const address = authorizationUrl(simulator);
  const submit = (form: Record<string, string>): Promise<Response> =>
    fetch(address, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });

  const page = await (await fetch(address)).text();
  const allowed = await submit({ email: "Yamada@example.com", decision: "allow" });
  const denied = await submit({ email: "", decision: "deny" });
  const unknown = await submit({ email: "nobody@example.com", decision: "allow" });

  assert.match(page, /アクセスの許可/);
  assert.match(page, /山田 &lt;b&gt;/);
  const code = new URL(allowed.headers.get("location") ?? "").searchParams.get("code") ?? "";
  assert.equal((await askToken(simulator, codeForm(code))).status, 200);
  const refusal = new URL(denied.headers.get("location") ?? "").searchParams;
  assert.deepEqual([refusal.get("error"), refusal.get("state")], ["access_denied", "a state"]);
  assert.match(await unknown.text(), /このメールアドレスのユーザーはいません/);
  simulator.assertNoProblems();
  assert.ok(user);
});

test("a login that is expected needs no page, and a denial can be played without one", async () => {
  await using simulator = await startSimulator();
  const user = simulator.addUser(simulator.addAccount(), { name: "山田", role: "DS Admin" });
  simulator.nextLogin(user);

  const first = await fetch(authorizationUrl(simulator), { redirect: "manual" });
  const second = await fetch(authorizationUrl(simulator), { redirect: "manual" });
  const denied = await simulator.deny(authorizationUrl(simulator));

  assert.equal(first.status, 302);
  assert.equal(second.status, 200);
  assert.match(denied, /error=access_denied/);
});

const WRONG_REQUESTS: [name: string, changes: Record<string, string | null>, problem: RegExp][] = [
  ["without extended", { scope: "signature" }, /scope lacks/],
  ["without prompt=login", { prompt: null }, /prompt is not login/],
  ["without PKCE", { code_challenge: null, code_challenge_method: null }, /code_challenge_method/],
  ["with another client", { client_id: "other" }, /client_id is unknown/],
  ["with an address that is not registered", { redirect_uri: "https://evil.example/" }, /redirect_uri/],
  ["without state", { state: null }, /state is missing/],
  ["for tokens at once", { response_type: "token" }, /response_type/],
  ["with a parameter that DocuSign has not", { audience: "x" }, /unknown parameter audience/],
];

for (const [name, changes, problem] of WRONG_REQUESTS) {
  test(`an authorization request ${name} is a problem`, async () => {
    await using simulator = await startSimulator();
    const user = simulator.addUser(simulator.addAccount(), { name: "山田", role: "DS Admin" });
    const address = authorizationUrl(simulator, changes);

    const answer = await fetch(address, { redirect: "manual" });
    const played = simulator.authorize(address, user);

    assert.equal(answer.status, 400);
    await assert.rejects(played, problem);
    assert.match(simulator.takeProblems().join("\n"), problem);
  });
}

test("a code works once, for its verifier and its address, and for two minutes", async () => {
  let now = new Date("2026-03-31T15:00:00Z");
  await using simulator = await startSimulator({ now: () => now });
  const user = simulator.addUser(simulator.addAccount(), { name: "山田", role: "DS Admin" });
  const code = async (): Promise<string> => {
    const returned = new URL(await simulator.authorize(authorizationUrl(simulator), user));
    return returned.searchParams.get("code") ?? "";
  };
  const used = await code();
  const stale = await code();

  const first = await askToken(simulator, { ...codeForm(used), redirect_uri: RETURN_ADDRESS });
  const again = await askToken(simulator, codeForm(used));
  const foreign = await askToken(
    simulator,
    codeForm(await code(), "the verifier of somebody else, long enough"),
  );
  const elsewhere = await askToken(simulator, {
    ...codeForm(await code()),
    redirect_uri: "https://evil.example/",
  });
  now = new Date("2026-03-31T15:02:00Z");
  const late = await askToken(simulator, codeForm(stale));

  assert.equal(first.status, 200);
  for (const refused of [again, foreign, elsewhere, late]) {
    assert.deepEqual(refused, { status: 400, json: { error: "invalid_grant" } });
  }
  simulator.assertNoProblems();
});

test("each refreshing gives a new refresh token, and the old one dies", async () => {
  await using simulator = await startSimulator();
  const user = simulator.addUser(simulator.addAccount(), { name: "山田", role: "DS Admin" });
  const { refresh_token: first } = await logIn(simulator, user);

  const refreshed = await askToken(simulator, { grant_type: "refresh_token", refresh_token: first });
  const old = await askToken(simulator, { grant_type: "refresh_token", refresh_token: first });
  const second = tokensOf(refreshed.json);
  const next = await askToken(simulator, {
    grant_type: "refresh_token",
    refresh_token: second.refresh_token,
  });

  assert.equal(second.scope, "signature");
  assert.notEqual(second.refresh_token, first);
  assert.deepEqual([old.status, old.json["error"]], [400, "invalid_grant"]);
  assert.equal(next.status, 200);
  simulator.assertNoProblems();
});

test("old refresh tokens stay good where a test asks for it", async () => {
  await using simulator = await startSimulator();
  const user = simulator.addUser(simulator.addAccount(), { name: "山田", role: "DS Admin" });
  const { refresh_token } = await logIn(simulator, user);
  simulator.keepOldRefreshTokens();

  await askToken(simulator, { grant_type: "refresh_token", refresh_token });
  const again = await askToken(simulator, { grant_type: "refresh_token", refresh_token });

  assert.equal(again.status, 200);
});

test("access tokens die after eight hours, refresh tokens thirty days after their last use", async () => {
  let now = new Date("2026-03-01T00:00:00Z");
  await using simulator = await startSimulator({ now: () => now });
  const account = simulator.addAccount();
  const user = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const api = await openApi(simulator, account, user);
  const { refresh_token } = await logIn(simulator, user);

  now = new Date("2026-03-01T07:59:59Z");
  const early = await api("/connect");
  now = new Date("2026-03-01T08:00:00Z");
  const late = await api("/connect");
  now = new Date("2026-03-30T00:00:00Z");
  const refreshed = await askToken(simulator, { grant_type: "refresh_token", refresh_token });
  now = new Date("2026-04-29T00:00:00Z");
  const { refresh_token: second } = tokensOf(refreshed.json);
  const tooLate = await askToken(simulator, { grant_type: "refresh_token", refresh_token: second });

  assert.equal(early.status, 200);
  assert.deepEqual([late.status, late.json["errorCode"]], [401, "AUTHORIZATION_INVALID_TOKEN"]);
  assert.equal(refreshed.status, 200);
  assert.equal(tooLate.status, 400);
  simulator.assertNoProblems();
});

test("revoked consent and a closed user end all tokens, an expired access token can be refreshed", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const people = ["revoked", "closed", "expired"].map((name) =>
    simulator.addUser(account, { name, role: "DS Admin" }),
  );
  const tokens = await Promise.all(people.map((user) => logIn(simulator, user)));
  const [revoked, closed, expired] = people;
  assert.ok(revoked && closed && expired);

  simulator.revokeConsent(revoked);
  simulator.closeUser(closed);
  simulator.expireAccessTokens(expired);
  const api = await Promise.all(
    tokens.map(({ access_token }) =>
      fetch(`${simulator.url}/oauth/userinfo`, { headers: { authorization: `Bearer ${access_token}` } }),
    ),
  );
  const refreshed = await Promise.all(
    tokens.map(({ refresh_token }) => askToken(simulator, { grant_type: "refresh_token", refresh_token })),
  );

  assert.deepEqual(
    api.map(({ status }) => status),
    [401, 401, 401],
  );
  assert.deepEqual(
    refreshed.map(({ status }) => status),
    [400, 400, 200],
  );
  simulator.assertNoProblems();
});

test("a token request with the wrong client, or with client_id in the body, is a problem", async () => {
  await using simulator = await startSimulator();
  const form = { grant_type: "refresh_token", refresh_token: "x" };

  const stranger = await askToken(simulator, form, "Basic c3RyYW5nZXI=");
  const twice = await askToken(simulator, { ...form, client_id: "key" });
  const strange = await askToken(simulator, { ...form, scope: "signature" });

  assert.deepEqual([stranger.status, stranger.json["error"]], [401, "invalid_client"]);
  assert.deepEqual([twice.status, twice.json["error"]], [400, "invalid_grant"]);
  assert.equal(strange.status, 400);
  assert.equal(simulator.takeProblems().length, 3);
});
