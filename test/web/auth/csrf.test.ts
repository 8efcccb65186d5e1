import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf } from "../../../src/web/auth/random-token.ts";
import { createBrowser, type Page } from "../../support/browser.ts";
import { createSite, HANAKO, TARO } from "./sign-in-site.ts";

test("only a form of the page in its session is accepted", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const act = (fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> =>
    browser.post(`${site.url}/act`, fields, headers);

  assert.equal((await browser.submit(page, "する")).text, "done");
  assert.equal((await act({ csrf })).text, "done");
  assert.equal((await act({})).status, 403);
  assert.equal((await act({ csrf: "" })).status, 403);
  assert.equal((await act({ csrf: csrf.replace(/.$/, "~") })).status, 403);
  assert.equal((await act({ csrf }, { "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await act({ csrf }, { "sec-fetch-site": "same-site" })).status, 403);
});

test("from browsers that send only the Origin header, a form is accepted only from our origin", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const cookie = [...browser.cookies(site.url)].map(([name, value]) => `${name}=${value}`).join("; ");
  const statusFrom = async (origin: string): Promise<number> => {
    const body = new URLSearchParams({ csrf });
    return (await fetch(`${site.url}/act`, { method: "POST", body, headers: { cookie, origin } })).status;
  };

  assert.equal(await statusFrom(site.url), 200);
  assert.equal(await statusFrom("https://evil.example"), 403);
  assert.equal(await statusFrom("null"), 403);
});

test("a form of this version does not hold the token that is stored for version 0.1", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  const [session] = site.store.sessions();
  assert.ok(session !== undefined);

  const answer = await browser.post(`${site.url}/act`, { csrf: session.csrfToken });

  assert.equal(answer.status, 403);
  assert.ok(!page.text.includes(session.csrfToken));
});

test("in a session of version 0.1, forms of either version are accepted", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const id = "A".repeat(43);
  await site.store.create({
    idHash: hashOf(id),
    tenant: "acme",
    subject: "hanako",
    name: null,
    role: "owner",
    csrfToken: "token of 0.1",
    sealedIdToken: null,
    sealedRefreshToken: null,
    verifiedAt: null,
    startedAt: site.clock.now,
    expiresAt: new Date(site.clock.now.getTime() + 60_000),
  });
  await browser.get(`${site.url}/plant/${id}`);
  const page = await browser.get(`${site.url}/links`);

  assert.equal((await browser.submit(page, "する")).text, "done");
  assert.equal((await browser.post(`${site.url}/act`, { csrf: "token of 0.1" })).text, "done");
  assert.ok(!page.text.includes("token of 0.1"));
});

test("another session's token is rejected", async () => {
  await using site = await createSite();
  const [hanako, taro] = [createBrowser(), createBrowser()];
  site.cabinet.nextSignIn(HANAKO);
  const page = await hanako.get(`${site.url}/links`);
  site.cabinet.nextSignIn(TARO);
  await taro.get(`${site.url}/links`);

  const answer = await taro.submit(page, "する");

  assert.equal(answer.status, 403);
});

test("a form posted without a session changes nothing and says so", async () => {
  await using site = await createSite();

  const page = await createBrowser().post(`${site.url}/act`, { csrf: "old" });

  assert.equal(page.status, 401);
  assert.match(page.text, /設定は変更されていません。/);
});
