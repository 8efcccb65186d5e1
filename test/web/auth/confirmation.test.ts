import assert from "node:assert/strict";
import { test } from "node:test";
import { type Browser, createBrowser, type Page } from "../../support/browser.ts";
import type { Cabinet } from "../../support/cabinet/cabinet.ts";
import { createSite, HANAKO, type Site, startTestCabinet, TARO } from "./sign-in-site.ts";

const MINUTE_MS = 60_000;
const SIGNED_OUT = /ログアウトしました。操作は行われていません。もう一度ログインしてください。/;
const NOT_CONFIRMED = /操作は行われていません。ページを開き直して/;

/** The ways in which the issuer can be asked again. */
const WAYS = {
  "with its refresh token": { refreshTokens: true },
  "by the browser": { refreshTokens: false },
} as const;

/** The ways in which a user loses the page. */
const LOSSES: Readonly<Record<string, (cabinet: Cabinet) => void>> = {
  "whom the cabinet no longer knows": (cabinet) => cabinet.removePerson(HANAKO),
  "whose role permits nothing here": (cabinet) => void cabinet.addPerson({ ...HANAKO, role: "guest" }),
  "who has no tenant any more": (cabinet) =>
    void cabinet.addPerson({ sub: HANAKO.sub, name: HANAKO.name, role: "owner" }),
};

for (const [way, cabinet] of Object.entries(WAYS)) {
  test(`a role or tenant that the cabinet changes is followed within the session, asked ${way}`, async () => {
    await using site = await createSite({ cabinet });
    const { browser } = await signIn(site);
    const [before] = site.store.sessions();
    const id = browser.cookies(site.url).get("torikomi_session");
    site.cabinet.addPerson({ ...HANAKO, name: "田中 花子", role: "member" });

    pass(site, 10 * MINUTE_MS - 1);
    const early = await browser.get(`${site.url}/links?tab=history`);
    pass(site, 1);
    const late = await browser.get(`${site.url}/links?tab=history`);
    site.cabinet.addPerson({ ...HANAKO, tenant: "successor" });
    pass(site, 10 * MINUTE_MS);
    const later = await browser.get(`${site.url}/links`);

    assert.match(early.text, /hanako acme owner 山田 花子/);
    assert.match(late.text, /hanako acme member 田中 花子/);
    assert.equal(late.url, `${site.url}/links?tab=history`);
    assert.match(later.text, /hanako successor owner/);
    const [after, ...others] = site.store.sessions();
    assert.deepEqual(others, []);
    assert.deepEqual(after?.expiresAt, before?.expiresAt);
    assert.equal(browser.cookies(site.url).get("torikomi_session"), id);
  });

  test(`a form that was shown for another tenant has no effect, asked ${way}`, async () => {
    await using site = await createSite({ cabinet });
    const { browser, page } = await signIn(site);
    site.cabinet.addPerson({ ...HANAKO, tenant: "successor" });
    pass(site, 10 * MINUTE_MS);
    const later = await browser.get(`${site.url}/links`);

    assert.equal((await browser.submit(page, "する")).status, 403);
    assert.equal((await browser.submit(later, "する")).text, "done");
  });

  test(`the issuer is asked at most once in ten minutes, asked ${way}`, async () => {
    await using site = await createSite({ cabinet });
    const { browser } = await signIn(site);

    for (let minute = 1; minute <= 30; minute += 1) {
      pass(site, MINUTE_MS);
      assert.equal((await browser.get(`${site.url}/links`)).status, 200);
    }

    assert.equal(site.cabinet.exchanges.length, 1 + 3);
  });

  for (const [who, change] of Object.entries(LOSSES)) {
    test(`the session of a user ${who} ends with a page that says so, asked ${way}`, async () => {
      await using site = await createSite({ cabinet });
      const { browser } = await signIn(site);
      change(site.cabinet);
      pass(site, 10 * MINUTE_MS);

      const page = await browser.get(`${site.url}/links`);

      assert.equal(page.status, 403);
      assert.match(page.text, SIGNED_OUT);
      assert.ok(!page.text.includes(HANAKO.name));
      assert.deepEqual(site.store.sessions(), []);
      assert.equal(browser.cookies(site.url).has("torikomi_session"), false);
      const again = await browser.peek(`${site.url}/links`);
      assert.match(again.headers.get("location") ?? "", /^\/sign-in\?return_to=/);
    });
  }

  test(`while the issuer cannot be reached, a session lives until its end and this is logged, asked ${way}`, async () => {
    await using site = await createSite({ cabinet });
    const { browser } = await signIn(site);
    await site.cabinet.close();
    pass(site, 20 * MINUTE_MS);

    const page = await browser.get(`${site.url}/links`);
    const form = await browser.submit(page, "する");
    pass(site, 8 * 60 * MINUTE_MS - 20 * MINUTE_MS - 1);
    const last = await browser.peek(`${site.url}/links`);
    pass(site, 1);
    const ended = await browser.peek(`${site.url}/links`);

    assert.deepEqual([page.status, form.text, last.status, ended.status], [200, "done", 200, 303]);
    const lines = site.logged.map((line) => JSON.parse(line).msg);
    assert.deepEqual(
      lines,
      Array(2).fill("the cabinet's issuer cannot be reached: page sessions are not confirmed"),
    );
  });

  test(`half a minute after the issuer was away it is asked again, asked ${way}`, async () => {
    await using site = await createSite({ cabinet });
    const { browser } = await signIn(site);
    await site.cabinet.close();
    pass(site, 20 * MINUTE_MS);
    assert.equal((await browser.get(`${site.url}/links`)).status, 200);
    const port = Number(new URL(site.cabinet.issuer).port);
    // It knows nothing of the sessions before, so it refuses.
    await using _again = await startTestCabinet(site.url, { ...cabinet, port });

    pass(site, MINUTE_MS / 2 - 1);
    assert.equal((await browser.get(`${site.url}/links`)).status, 200);
    pass(site, 1);

    assert.match((await browser.get(`${site.url}/links`)).text, SIGNED_OUT);
  });
}

test("a form of a user whose role was taken away has no effect: the issuer is asked before", async () => {
  await using site = await createSite();
  const { browser, page } = await signIn(site);
  site.cabinet.removePerson(HANAKO);
  pass(site, 10 * MINUTE_MS);

  const answer = await browser.submit(page, "する");

  assert.equal(answer.status, 403);
  assert.match(answer.text, SIGNED_OUT);
});

test("if only the browser can ask, a form is accepted for fifteen minutes, then refused until the page is opened again", async () => {
  await using site = await createSite({ cabinet: { refreshTokens: false } });
  const { browser, page } = await signIn(site);

  pass(site, 15 * MINUTE_MS - 1);
  const early = await browser.submit(page, "する");
  pass(site, 1);
  const late = await browser.submit(page, "する");
  await browser.get(`${site.url}/links`);
  const again = await browser.submit(page, "する");

  assert.equal(early.text, "done");
  assert.equal(late.status, 403);
  assert.match(late.text, NOT_CONFIRMED);
  assert.equal(again.text, "done");
});

test("if only the browser can ask, a script's request is answered for fifteen minutes and never redirected", async () => {
  await using site = await createSite({ cabinet: { refreshTokens: false } });
  const { browser } = await signIn(site);
  const statusOfFetch = async (): Promise<number> => {
    const cookie = `torikomi_session=${browser.cookies(site.url).get("torikomi_session")}`;
    const headers = { cookie, "sec-fetch-dest": "empty" };
    return (await fetch(`${site.url}/links`, { headers, redirect: "manual" })).status;
  };

  pass(site, 15 * MINUTE_MS - 1);
  const early = await statusOfFetch();
  pass(site, 1);

  assert.deepEqual([early, await statusOfFetch()], [200, 403]);
});

test("concurrent requests use the refresh token once, and each is answered after the issuer was asked", async () => {
  await using site = await createSite();
  const { browser } = await signIn(site);
  site.cabinet.addPerson({ ...HANAKO, role: "member" });
  pass(site, 20 * MINUTE_MS);

  const pages = await Promise.all([1, 2, 3].map(async () => await browser.get(`${site.url}/links`)));

  for (const page of pages) assert.match(page.text, /hanako acme member/);
  assert.deepEqual(
    site.cabinet.exchanges.filter(({ error }) => error !== null),
    [],
  );
});

test("a refresh token that the issuer replaces is replaced in the session too", async () => {
  await using site = await createSite();
  const { browser } = await signIn(site);

  for (let count = 0; count < 3; count += 1) {
    pass(site, 15 * MINUTE_MS);
    assert.equal((await browser.peek(`${site.url}/links`)).status, 200);
  }

  const tokens = site.cabinet.exchanges.map(({ refreshToken }) => refreshToken);
  assert.equal(new Set(tokens).size, 4);
  assert.ok(!tokens.includes(null));
});

test("if somebody else has signed in at the cabinet since, the page becomes theirs under a new session id", async () => {
  await using site = await createSite({ cabinet: { refreshTokens: false } });
  const { browser } = await signIn(site);
  const id = browser.cookies(site.url).get("torikomi_session") ?? "";
  await browser.get(`${site.url}/plant/${"A".repeat(43)}`);
  site.cabinet.nextSignIn(TARO);
  await browser.get(`${site.url}/links`);
  await browser.get(`${site.url}/plant/${id}`);
  assert.match((await browser.get(`${site.url}/links`)).text, /hanako acme owner/);

  pass(site, 10 * MINUTE_MS);
  const page = await browser.get(`${site.url}/links`);

  assert.match(page.text, /taro other member/);
  assert.notEqual(browser.cookies(site.url).get("torikomi_session"), id);
  assert.deepEqual(
    site.store.sessions().filter(({ subject }) => subject === HANAKO.sub),
    [],
  );
});

test("an issuer that answers the silent question with an error is asked by a sign-in with a page", async () => {
  await using site = await createSite({ cabinet: { refreshTokens: false } });
  const { browser } = await signIn(site);
  pass(site, 10 * MINUTE_MS);
  const silent = await browser.peek(`${site.url}/sign-in?prompt=none&return_to=/links?tab=history`);
  const asked = new URL(silent.headers.get("location") ?? "").searchParams;
  assert.equal(asked.get("prompt"), "none");
  const answer = { error: "server_error", state: asked.get("state") ?? "", iss: site.cabinet.issuer };

  const page = await browser.get(`${site.url}/sign-in/callback?${new URLSearchParams(answer).toString()}`);

  assert.equal(page.url, `${site.url}/links?tab=history`);
  assert.ok(page.trail.includes(`${site.url}/sign-in?return_to=%2Flinks%3Ftab%3Dhistory`));
  assert.match(page.text, /hanako/);
});

test("an issuer whose metadata exclude silent sign-ins cannot be asked, so a session lives until its end", async () => {
  const cabinet = { refreshTokens: false, promptValues: ["login", "consent"] };
  await using site = await createSite({ cabinet });
  const { browser, page } = await signIn(site);

  pass(site, 60 * MINUTE_MS);

  assert.equal((await browser.peek(`${site.url}/links`)).status, 200);
  assert.equal((await browser.submit(page, "する")).text, "done");
});

async function signIn(site: Site): Promise<{ browser: Browser; page: Page }> {
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  assert.match(page.text, /hanako acme owner/);
  return { browser, page };
}

function pass({ clock }: Site, ms: number): void {
  clock.now = new Date(clock.now.getTime() + ms);
}
