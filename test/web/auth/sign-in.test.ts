import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { hashOf, randomToken } from "../../../src/web/auth/random-token.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";
import type { Person } from "../../support/cabinet/cabinet.ts";
import { createSite, HANAKO, type Site, startTestCabinet, TARO } from "./sign-in-site.ts";

const EIGHT_HOURS_MS = 8 * 60 * 60 * 1_000;

test("a visitor is sent to the cabinet, chooses a person, and returns to the requested page", async () => {
  await using site = await createSite();
  const browser = createBrowser();

  const choice = await browser.get(`${site.url}/links?tab=history`);
  const page = await browser.submit(choice, HANAKO.name);

  assert.ok(choice.url.startsWith(site.cabinet.issuer));
  assert.equal(page.url, `${site.url}/links?tab=history`);
  assert.equal(page.status, 200);
  assert.match(page.text, /hanako acme owner 山田 花子/);
});

test("a sign-in uses code, PKCE, state and nonce", async () => {
  await using site = await createSite();

  const { headers } = await createBrowser().peek(`${site.url}/sign-in`);

  const address = new URL(headers.get("location") ?? "");
  const { code_challenge, state, nonce, ...others } = Object.fromEntries(address.searchParams);
  assert.equal(address.origin, site.cabinet.issuer);
  for (const random of [code_challenge, state, nonce]) assert.match(random ?? "", /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(others, {
    client_id: "page",
    redirect_uri: `${site.url}/sign-in/callback`,
    response_type: "code",
    scope: "openid profile",
    code_challenge_method: "S256",
  });
});

for (const keyAlgorithm of ["ES256", "EdDSA", "RS256"] as const) {
  test(`sign-in works with ${keyAlgorithm} if the cabinet's metadata lists no signing algorithms`, async () => {
    const untold = "id_token_signing_alg_values_supported";
    await using site = await createSite({ cabinet: { keyAlgorithm, untold } });
    site.cabinet.nextSignIn(HANAKO);

    const page = await createBrowser().get(`${site.url}/links`);

    assert.equal(page.status, 200);
    assert.match(page.text, /hanako/);
  });
}

test("sign-in works with a cabinet that accepts its client's secret only in the body", async () => {
  await using site = await createSite({ cabinet: { clientAuth: "client_secret_post" } });
  site.cabinet.nextSignIn(HANAKO);

  const page = await createBrowser().get(`${site.url}/links`);

  assert.equal(page.status, 200);
  assert.match(page.text, /hanako/);
});

test("scripts and foreign forms cannot use the session cookie, and stored data cannot open the session", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = await returnAddressOf(site, HANAKO, browser);

  const { headers } = await browser.peek(address);

  const id = browser.cookies(site.url).get("torikomi_session") ?? "";

  assert.match(id, /^[A-Za-z0-9_-]{43}$/);
  const [stored] = site.store.sessions();
  assert.ok(stored !== undefined);
  assert.doesNotMatch(JSON.stringify(stored), new RegExp(id));
  assert.equal(stored.idHash.length, 32);
  assert.equal(stored.expiresAt.getTime() - stored.startedAt.getTime(), EIGHT_HOURS_MS);
  assert.equal(headers.getSetCookie().length, 1);
  assert.match(headers.getSetCookie()[0] ?? "", /; Path=\/; .*HttpOnly; SameSite=Lax$/);
});

test("over https the cookies are secure and bound to the host", async () => {
  await using site = await createSite({ publicUrl: "https://torikomi.example" });

  const { headers } = await createBrowser().peek(`${site.url}/sign-in`);

  const [cookie] = headers.getSetCookie();
  assert.match(cookie ?? "", /^__Host-torikomi_sign_in=.*; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/);
  assert.doesNotMatch(cookie ?? "", /Domain/i);
});

const FOREIGN = [
  "//evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "https://evil.example",
  "javascript:alert(1)",
  "/\t/evil.example",
  "/\n/evil.example",
  "links",
  "",
];

for (const address of FOREIGN) {
  test(`a sign-in with the return address ${JSON.stringify(address)} is rejected`, async () => {
    await using site = await createSite();

    const page = await createBrowser().peek(
      `${site.url}/sign-in?${new URLSearchParams({ return_to: address }).toString()}`,
    );

    assert.equal(page.status, 400);
    assert.equal(page.headers.get("location"), null);
  });
}

test("a return address works once, and only in the browser that began the sign-in", async () => {
  await using site = await createSite();
  const [browser, stranger] = [createBrowser(), createBrowser()];
  const address = await returnAddressOf(site, HANAKO, browser);

  const stolen = await stranger.peek(address);
  const returned = await browser.peek(address);
  const replayed = await stranger.peek(address);

  assert.equal(stolen.status, 400);
  assert.equal(stranger.cookies(site.url).has("torikomi_session"), false);
  assert.equal(returned.status, 303);
  assert.equal(replayed.status, 400);
  assert.equal(site.store.sessions().length, 1);
});

test("a sign-in that version 0.1 began can be finished", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = new URL((await browser.peek(`${site.url}/sign-in`)).headers.get("location") ?? "");
  const [state, nonce, codeVerifier] = [randomToken(), randomToken(), randomToken()];
  const code_challenge = createHash("sha256").update(codeVerifier).digest("base64url");
  for (const [name, value] of Object.entries({ state, nonce, code_challenge }))
    address.searchParams.set(name, value);
  await site.store.begin({
    stateHash: hashOf(`${state}.${browser.cookies(site.url).get("torikomi_sign_in")}`),
    codeVerifier,
    nonce,
    returnTo: "/links?tab=history",
    confirms: null,
    expiresAt: new Date(site.clock.now.getTime() + 60_000),
  });
  site.cabinet.nextSignIn(HANAKO);

  const page = await browser.get(address.href);

  assert.equal(page.url, `${site.url}/links?tab=history`);
  assert.match(page.text, /hanako acme owner/);
});

test("going back to a used return address shows the page to a signed-in user", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = await returnAddressOf(site, HANAKO, browser);
  await browser.get(address);

  const page = await browser.get(address);

  assert.equal(page.url, `${site.url}/links`);
  assert.equal(site.store.sessions().length, 1);
});

test("a sign-in that took more than fifteen minutes must begin again", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = await returnAddressOf(site, HANAKO, browser);

  site.clock.now = new Date(site.clock.now.getTime() + 15 * 60 * 1_000);
  const page = await browser.get(address);

  assert.equal(page.status, 400);
  assert.match(page.text, /もう一度ログイン/);
});

test("two tabs of one browser can sign in at the same time", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const addresses = [
    await returnAddressOf(site, HANAKO, browser),
    await returnAddressOf(site, HANAKO, browser),
  ];

  for (const address of addresses) {
    const page = await browser.get(address);

    assert.equal(page.status, 200);
  }
  assert.equal(site.store.sessions().length, 1);
});

test("a code that belongs to another sign-in is rejected", async () => {
  await using site = await createSite();
  const [victim, attacker] = [createBrowser(), createBrowser()];
  const stolen = new URL(await returnAddressOf(site, HANAKO, victim));
  const own = new URL(await returnAddressOf(site, TARO, attacker));

  own.searchParams.set("code", stolen.searchParams.get("code") ?? "");
  const page = await attacker.get(own.href);

  assert.equal(page.status, 400);
  assert.equal(site.store.sessions().length, 0);
});

test("a code that belongs to another sign-in is rejected by its nonce if the cabinet ignores PKCE", async () => {
  await using site = await createSite();
  const { take } = site.store;
  site.store.take = async (stateHash, now) => {
    const begun = await take(stateHash, now);
    return begun === null ? null : { ...begun, nonce: "the nonce of another sign-in" };
  };

  const browser = createBrowser();
  const page = await browser.get(await returnAddressOf(site, HANAKO, browser));

  assert.equal(page.status, 400);
  assert.equal(site.store.sessions().length, 0);
});

test("each sign-in creates a new session id and ends the previous session", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/sign-in`);
  const before = browser.cookies(site.url).get("torikomi_session");

  site.cabinet.nextSignIn(TARO);
  const page = await browser.get(`${site.url}/sign-in`);

  assert.match(page.text, /taro other member/);
  assert.notEqual(browser.cookies(site.url).get("torikomi_session"), before);
  assert.equal(site.store.sessions().length, 1);
});

test("a session id planted in the browser before the sign-in is invalid after it", async () => {
  await using site = await createSite();
  const planted = "A".repeat(43);
  const browser = createBrowser();
  await browser.get(`${site.url}/plant/${planted}`);
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/links`);

  const response = await fetch(`${site.url}/links`, {
    headers: { cookie: `torikomi_session=${planted}` },
    redirect: "manual",
  });

  assert.equal(response.status, 303);
});

test("a session lasts eight hours", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/links`);

  site.clock.now = new Date(site.clock.now.getTime() + EIGHT_HOURS_MS - 1);
  assert.equal((await browser.peek(`${site.url}/links`)).status, 200);
  site.clock.now = new Date(site.clock.now.getTime() + 1);
  assert.equal((await browser.peek(`${site.url}/links`)).status, 303);
});

const NOBODY: readonly Person[] = [
  { sub: "no-tenant", name: "A", role: "owner" },
  { sub: "empty-tenant", name: "B", tenant: "", role: "owner" },
  { sub: "no-role", name: "C", tenant: "acme" },
  { sub: "guest", name: "D", tenant: "acme", role: "guest" },
];

for (const person of NOBODY) {
  test(`a person with the ID token "${person.sub}" gets a page that denies access, and no session`, async () => {
    await using site = await createSite();
    site.cabinet.addPerson(person);
    site.cabinet.nextSignIn(person);

    const page = await createBrowser().get(`${site.url}/links`);

    assert.equal(page.status, 403);
    assert.match(page.text, /利用する権限がありません/);
    assert.equal(site.store.sessions().length, 0);
  });
}

test("a user who cancels at the cabinet gets a message and can try again", async () => {
  await using site = await createSite();
  const browser = createBrowser();

  const page = await browser.submit(await browser.get(`${site.url}/links`), "キャンセル");

  assert.equal(page.status, 403);
  assert.match(page.text, /中止されました/);
  const again = await browser.submit(await browser.get(`${site.url}/links`), HANAKO.name);
  assert.match(again.text, /hanako/);
});

test("while the cabinet is down the page says so, and sign-in works as soon as it is back", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  await site.cabinet.close();

  const page = await browser.get(`${site.url}/links`);
  assert.equal(page.status, 503);
  assert.match(page.text, /時間を置いて/);

  await using again = await startTestCabinet(site.url, { port: Number(new URL(site.cabinet.issuer).port) });
  again.nextSignIn(HANAKO);
  assert.match((await browser.get(`${site.url}/links`)).text, /hanako/);
});

test("sign-ins are limited to 300 a minute per address, beyond which the answer has Retry-After", async () => {
  await using site = await createSite();
  const ask = async () => await fetch(`${site.url}/sign-in`, { redirect: "manual" });
  for (let begun = 0; begun < 300; begun += 1) assert.equal((await ask()).status, 303);

  const answer = await ask();

  assert.equal(answer.status, 429);
  assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
});

/** Runs the sign-in up to the cabinet's redirect and returns its address without requesting it. */
async function returnAddressOf(site: Site, person: Person, browser: Browser): Promise<string> {
  site.cabinet.nextSignIn(person);
  let url = `${site.url}/sign-in`;
  while (!url.startsWith(`${site.url}/sign-in/callback`)) {
    const { status, headers, text } = await browser.peek(url);
    assert.equal(status, 303, text);
    url = new URL(headers.get("location") ?? "", url).href;
  }
  return url;
}
