import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrowser } from "../../support/browser.ts";
import { createSite, HANAKO } from "./sign-in-site.ts";

test("signing out ends the session here and in the cabinet", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const page = await browser.submit(await browser.get(`${site.url}/links`), HANAKO.name);
  const id = browser.cookies(site.url).get("torikomi_session");

  const question = await browser.submit(page, "ログアウト");
  const end = await browser.submit(question, "ログアウト");

  assert.ok(question.url.startsWith(site.cabinet.issuer));
  assert.match(question.url, /id_token_hint=ey/);
  assert.equal(end.url, `${site.url}/signed-out`);
  assert.equal(site.store.sessions().length, 0);
  assert.equal(browser.cookies(site.url).has("torikomi_session"), false);
  const replayed = await fetch(`${site.url}/links`, {
    headers: { cookie: `torikomi_session=${id}` },
    redirect: "manual",
  });
  assert.equal(replayed.status, 303);
  assert.ok((await browser.get(`${site.url}/links`)).url.startsWith(`${site.cabinet.issuer}/sign-in/`));
});

test("signing out works while the cabinet is down", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  await site.cabinet.close();
  site.restart();

  const end = await browser.submit(page, "ログアウト");

  assert.equal(end.status, 200);
  assert.match(end.text, /ログアウトしました/);
  assert.equal(site.store.sessions().length, 0);
});

test("a sign-out request without the page's token does not end the session", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/links`);

  const answer = await browser.post(`${site.url}/sign-out`, { csrf: "guess" });

  assert.equal(answer.status, 403);
  assert.equal(site.store.sessions().length, 1);
});
