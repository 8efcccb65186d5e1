import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { sharedChromium } from "../support/chromium.ts";
import { linkOf } from "../support/linked-world.ts";
import { createWorld } from "../support/world.ts";
import { createPageWorld, linkOnPage, stateOn } from "./page-world.ts";

const chromium = sharedChromium();

test("a member sees everything but can change nothing, neither by a form nor by a handmade request", async () => {
  await using place = await createPageWorld(chromium);
  await linkOnPage(place, await place.visit(), place.admin);
  const page = await place.visit("member");

  assert.equal(await stateOn(page), "連携済み");
  const buttons = await page.getByRole("button").allInnerTexts();
  assert.deepEqual(buttons, ["ログアウト", "照会"]);
  await page.goto("/links?edit=1");
  assert.equal(await page.getByLabel("取り込み先契約書グループ").count(), 0);

  const csrf = await page.locator("input[name=csrf]").first().inputValue();
  const { id } = await linkOf(place.world);
  const form = { csrf, link: id, group: "legal", service: "docusign" };
  for (const path of ["/links", "/links/edit", "/links/approve", "/links/delete"]) {
    assert.equal((await page.request.post(path, { form })).status(), 403, path);
  }
  assert.equal((await page.goto("/links/delete"))?.status(), 403);
  assert.equal((await linkOf(place.world)).groupId, "sales");
});

test("a member without a link sees who can create one", async () => {
  await using place = await createPageWorld(chromium);

  const page = await place.visit("member");

  assert.match(await page.locator("main").innerText(), /オーナー権限のユーザーが行えます/);
  assert.equal(await page.getByRole("button", { name: "連携" }).count(), 0);
});

test("forms of other sites have no effect, even if they differ only in the port", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  const { id } = await linkOf(place.world);
  await using attacker = await startAttacker(`${place.world.url}/links/delete`, {
    link: id,
    csrf: "guessed",
  });

  await page.goto(`http://127.0.0.1:${attacker.port}/`);
  await page.getByRole("button").click();
  assert.equal(new URL(page.url()).pathname, "/links/delete");
  assert.match(await page.locator("main").innerText(), /画面の有効期限が切れました/);

  await page.goto(`http://localhost:${attacker.port}/`);
  await page.getByRole("button").click();
  assert.equal(new URL(page.url()).pathname, "/links/delete");
  assert.match(await page.locator("main").innerText(), /ログインの有効期限が切れた/);

  assert.equal((await linkOf(place.world)).state, "active");
});

test("the page allows no inline code, no framing, and no forms of other sites", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  const headers = (await page.goto("/links"))?.headers() ?? {};

  assert.deepEqual((headers["content-security-policy"] ?? "").split(";"), [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]);
  assert.equal(headers["referrer-policy"], "same-origin");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["cache-control"], "no-store");
  assert.doesNotMatch(await page.content(), /<script>|<style|\sstyle=|\son\w+=/);
});

test("stylesheet, script and icon are cacheable under their current version only", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  const addresses = await page
    .locator("link[href], script[src]")
    .evaluateAll((elements) =>
      elements.map((element) => element.getAttribute("href") ?? element.getAttribute("src")),
    );

  assert.equal(addresses.length, 3);
  for (const address of addresses) {
    const answer = await page.request.get(address ?? "");
    assert.equal(answer.status(), 200);
    assert.equal(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
    const other = await page.request.get(`${address}x`);
    assert.equal(other.headers()["cache-control"], "no-cache");
  }
});

test("an unknown result shows no message, and a past success shows one only while it is true", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  for (const result of [
    "unknown",
    "<b>x</b>",
    "toString",
    "linked",
    "edited",
    "approved",
    "awaiting-approval",
  ]) {
    await page.goto(`/links?${new URLSearchParams({ result }).toString()}`);
    assert.equal(await page.locator(".message").count(), 0, result);
  }
  await page.goto("/links?result=failed&result=linked");
  assert.equal(await page.locator(".message").count(), 0);
});

test("signing out ends the session here and in the cabinet", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await page.getByRole("button", { name: "ログアウト" }).click();
  await page.getByRole("button", { name: "ログアウト" }).click();
  assert.match(await page.locator("main").innerText(), /ログアウトしました/);

  await page.goto("/links");
  assert.equal(new URL(page.url()).origin, new URL(place.world.cabinet.issuer).origin);
});

test("errors are pages on the page and problem details elsewhere, whatever the client accepts", async () => {
  await using place = await createPageWorld(chromium);
  const { url } = place.world;
  const page = await place.visit();
  const answerOf = async (path: string): Promise<string> => {
    const answer = await fetch(`${url}${path}`, { headers: { accept: "text/html" } });
    return `${answer.status} ${answer.headers.get("content-type")}`;
  };

  assert.equal((await page.goto("/links/nowhere"))?.status(), 404);
  assert.match(await page.locator("main").innerText(), /ページが見つかりませんでした。/);
  await page.getByRole("link", { name: "電子契約サービス連携へ戻る" }).click();
  assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "電子契約サービス連携");
  assert.equal(await answerOf("/sign-in?return_to=https://evil.example"), "400 text/html; charset=utf-8");
  assert.equal(await answerOf("/v1/contracts"), "401 application/problem+json; charset=utf-8");
  assert.equal(await answerOf("/connect/x"), "404 application/problem+json; charset=utf-8");
});

test("an unknown address shows a browser the product's page, and a program problem details", async () => {
  await using world = await createWorld();
  const answerOf = async (path: string, accept: string): Promise<[string, string]> => {
    const answer = await fetch(`${world.url}${path}`, { headers: { accept } });
    return [`${answer.status} ${answer.headers.get("content-type")}`, await answer.text()];
  };

  for (const path of ["/nowhere", "/wp-login.php", "/links/nowhere", "/openapi.json/x", "/%2e%2e/x"]) {
    const [page, text] = await answerOf(path, "text/html,application/xhtml+xml,*/*;q=0.8");
    assert.equal(page, "404 text/html; charset=utf-8", path);
    assert.match(text, /契約書キャビネ.*ページが見つかりませんでした。/s);
    assert.equal((await answerOf(path, "*/*"))[0], "404 application/problem+json; charset=utf-8", path);
  }
});

for (const header of ["X-Forwarded-For", "Forwarded"]) {
  test(`a proxy that TRUST_PROXY does not include is logged once if it sends ${header}`, async () => {
    await using world = await createWorld();
    const ask = async (): Promise<number> => {
      const headers = { [header]: "for=203.0.113.7" };
      return (await fetch(`${world.url}/sign-in`, { headers, redirect: "manual" })).status;
    };

    const statuses = [await ask(), await ask()];

    assert.deepEqual(statuses, [303, 303]);
    const [line, ...others] = world.logged.map((text) => JSON.parse(text));
    assert.match(line.msg, /check TRUST_PROXY/);
    assert.match(line.detail, new RegExp(`'${header}'.* See https://.*/ERR_ERL_`));
    assert.deepEqual([line.level, others], [40, []]);
    assert.doesNotMatch(line.detail, /203\.0/);
  });
}

test("a proxy that TRUST_PROXY includes is not logged", async () => {
  await using world = await createWorld({ config: { trustProxy: 1 } });

  for (const client of ["nobody@example.com", "203.0.113.7"])
    await fetch(`${world.url}/sign-in`, { headers: { "X-Forwarded-For": client }, redirect: "manual" });

  assert.deepEqual(world.logged, []);
});

test("the page says so if the cabinet's client is not configured", async () => {
  const unset = { issuer: null, clientId: null, clientSecret: null };
  const cabinet = { ...unset, audience: "torikomi", serviceTokenSubjects: [], origins: [] };
  await using world = await createWorld({ config: { cabinet } });

  for (const path of ["/links", "/links/docusign/callback?code=1&state=2", "/sign-in"]) {
    const answer = await fetch(`${world.url}${path}`, { headers: { accept: "text/html" } });
    assert.equal(answer.status, 503, path);
    assert.match(await answer.text(), /CABINET_CLIENT_ID/);
  }
});

test("the root address leads to the page", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await page.goto("/");

  assert.equal(new URL(page.url()).pathname, "/links");
});

/** A page of another site whose form posts to the address, with the cookies that the browser sends there. */
async function startAttacker(
  action: string,
  fields: Record<string, string>,
): Promise<AsyncDisposable & { port: number }> {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
  );
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<form method="post" action="${action}">${inputs.join("")}<button>You won!</button></form>`);
  }).listen(0);
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
