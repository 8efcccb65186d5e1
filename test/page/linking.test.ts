import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { sharedChromium } from "../support/chromium.ts";
import { linkOf } from "../support/linked-world.ts";
import {
  chooseAndLink,
  createPageWorld,
  linkOnPage,
  logIn,
  messageOn,
  type PageWorld,
  stateOn,
} from "./page-world.ts";

const chromium = sharedChromium();

test("an owner chooses group and service, clicks 連携, logs in at DocuSign, and sees the link", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await chooseAndLink(page, "法務部の契約書");
  assert.equal(new URL(page.url()).origin, place.world.docusign.url);
  await logIn(page, place.admin);

  assert.equal(await messageOn(page), "DocuSignと連携しました。");
  assert.equal(await stateOn(page), "連携済み");
  assert.equal(await fact(page, "連携ユーザー"), `山田\n${place.admin.email}`);
  assert.match(await fact(page, "アカウント"), /^株式会社甲/);
  assert.equal(await fact(page, "取り込み先契約書グループ"), "法務部の契約書");
  assert.equal(await fact(page, "連携日時"), "2031年1月15日 12:10");
  assert.equal(await fact(page, "次回の照合"), "2031年1月15日 13:00");
});

test("a service whose public address has a path links, imports by events and shows its page under that path", async () => {
  await using place = await createPageWorld(chromium, { path: "/cell-a" });
  const { world } = place;
  const { origin } = new URL(world.url);
  const page = await place.stranger();
  const astray: string[] = [];
  page.on("request", (request) => {
    if (request.url().startsWith(origin) && !request.url().startsWith(`${world.url}/`))
      astray.push(request.url());
  });
  world.cabinet.nextSignIn(world.owner());

  await page.goto(`${world.url}/links`);
  await chooseAndLink(page);
  await logIn(page, place.admin);
  const linked = await messageOn(page);
  await page.locator("a.brand").click();
  const { envelopeId } = await world.docusign.concludeEnvelope({
    from: place.colleague,
    to: [{ name: "客", email: "kyaku@example.com" }],
  });
  await world.runJobs();
  await page.goto(`${world.url}/links?envelope=${envelopeId}#inquiry`);
  await page.getByRole("button", { name: "ログアウト" }).click();

  assert.equal(linked, "DocuSignと連携しました。");
  assert.equal((await world.contracts()).length, 1);
  assert.ok(page.url().startsWith(`${world.url}/`), page.url());
  assert.deepEqual(astray, []);
});

test("詳細設定 offers a start date at the linking and at the approval, and only dates until today are accepted", async () => {
  await using place = await createPageWorld(chromium, { config: { largeImport: 1 } });
  const { world } = place;
  await world.docusign.concludeEnvelope({
    from: place.colleague,
    to: [{ name: "客", email: "kyaku@example.com" }],
  });
  const page = await place.visit();
  const choose = async (date: string): Promise<void> => {
    await page.getByText("詳細設定").click();
    const field = page.getByLabel("取り込みを始める日");
    await field.evaluate((input) => input.removeAttribute("max"));
    await field.fill(date);
  };

  await choose("2031-01-16");
  await page.getByLabel("取り込み先契約書グループ").selectOption("営業部の契約書");
  await page.getByLabel("連携サービス").selectOption("DocuSign");
  await page.getByRole("button", { name: "連携", exact: true }).click();
  const refused = await messageOn(page);
  await choose("2031-01-10");
  await page.getByLabel("完了証明書も取り込む").check();
  await linkOnPage(place, page, place.admin);
  const linked = await fact(page, "取り込みを始める日");
  await page.getByText("詳細設定").click();
  const shown = await page.getByLabel("取り込みを始める日").inputValue();
  await page.getByLabel("取り込みを始める日").fill("2031-01-12");
  await page.getByRole("button", { name: "取り込みを開始" }).click();

  assert.equal(refused, "取り込みを始める日を確認してください。");
  assert.deepEqual([linked, shown], ["2031年1月10日", "2031-01-10"]);
  assert.equal(await messageOn(page), "初回の取り込みを開始しました。");
  const { from, certificates } = await linkOf(world);
  assert.deepEqual([from, certificates], ["2031-01-12", true]);
});

test("going back from DocuSign's login or reloading the page leaves no trace, and linking works from there", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await chooseAndLink(page);
  await page.goBack();
  assert.equal(await page.getByRole("button", { name: "連携", exact: true }).isVisible(), true);
  await chooseAndLink(page);
  await page.goto("/links");
  assert.equal(await page.locator(".message").count(), 0);
  assert.equal(await hasLink(place), false);

  await linkOnPage(place, page, place.admin);
  assert.equal(await stateOn(page), "連携済み");
});

test("if two tabs link, the first to return links and the other sees that", async () => {
  await using place = await createPageWorld(chromium);
  const one = await place.visit();
  const other = await one.context().newPage();
  await other.goto("/links");

  await chooseAndLink(one);
  await chooseAndLink(other, "法務部の契約書");
  await logIn(one, place.admin);
  await logIn(other, place.admin);

  assert.equal(await messageOn(one), "DocuSignと連携しました。");
  assert.equal(await messageOn(other), "すでにDocuSignと連携しています。");
  assert.equal((await linkOf(place.world)).groupId, "sales");
});

test("a used or expired return address changes nothing", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  const returns: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/links/docusign/callback")) returns.push(request.url());
  });

  await chooseAndLink(page);
  place.world.clock.pass(15 * 60 * 1000);
  await logIn(page, place.admin);
  assert.equal(await messageOn(page), "連携の操作の有効期限が切れたか、すでに完了しています。");
  assert.equal(await hasLink(place), false);

  await linkOnPage(place, page, place.admin);
  const { linkedAt } = await linkOf(place.world);
  await page.goto(returns.at(-1) ?? "");
  assert.equal(await messageOn(page), "連携の操作の有効期限が切れたか、すでに完了しています。");
  assert.equal(await stateOn(page), "連携済み");
  assert.equal((await linkOf(place.world)).linkedAt, linkedAt);
});

test("a user who cancels at DocuSign returns to the page without a link", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await chooseAndLink(page);
  await page.getByRole("button", { name: "キャンセル" }).click();

  assert.equal(await messageOn(page), "DocuSignでの操作を中断しました。連携は変更されていません。");
  assert.equal(await hasLink(place), false);
});

test("a user who is not a DS Admin is refused in the help page's words", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await linkOnPage(place, page, place.colleague);

  assert.equal(
    await page.getByRole("alert").innerText(),
    "連携できないユーザーです。DocusignユーザーのデフォルトアカウントがDS Adminかどうか確認してください。",
  );
  assert.equal(await hasLink(place), false);
});

test("a group deleted during the choice or the login is refused in the help page's words", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  const api = await place.world.api();

  await chooseAndLink(page);
  await api.send("DELETE", "/v1/groups/sales");
  await logIn(page, place.admin);
  assert.equal(await page.getByRole("alert").innerText(), "取り込み先契約書グループが見つかりませんでした。");

  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await api.send("DELETE", "/v1/groups/legal");
  await page.getByLabel("連携サービス").selectOption("DocuSign");
  await page.getByRole("button", { name: "連携", exact: true }).click();
  assert.equal(await page.getByRole("alert").innerText(), "取り込み先契約書グループが見つかりませんでした。");
  assert.match(await page.locator("main").innerText(), /契約書グループがありません/);
  assert.equal(await hasLink(place), false);
});

test("a form without group or service asks for a choice", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  const csrf = await page.locator("input[name=csrf]").first().inputValue();
  const answer = await page.request.post("/links", { form: { csrf, group: "sales" } });

  assert.match(await answer.text(), /取り込み先契約書グループと連携サービスを選択してください。/);
});

test("another user can be linked without restarting the browser: DocuSign always asks for a login", async () => {
  await using place = await createPageWorld(chromium);
  const { world, account } = place;
  const successor = world.docusign.addUser(account, { name: "後任", role: "DS Admin" });
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);

  await page.getByRole("button", { name: "削除" }).click();
  await page.getByRole("button", { name: "削除" }).click();
  assert.equal(await messageOn(page), "DocuSignとの連携を削除しました。");
  await chooseAndLink(page);
  assert.equal(new URL(page.url()).searchParams.get("prompt"), "login");
  await logIn(page, successor);

  assert.equal(await fact(page, "連携ユーザー"), `後任\n${successor.email}`);
  assert.match(await page.getByRole("region", { name: "連携履歴" }).innerText(), /山田（株式会社甲）/);
});

test("an authorization address sent to another person links nothing, signed in or not", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const sendAddress = async (): Promise<string> => {
    const attacker = await world.api("attacker");
    await attacker.send("PUT", "/v1/groups/loot", { name: "loot" });
    return (await attacker.send("POST", "/v1/link", { groupId: "loot" })).body.authorizationUrl;
  };
  const signedIn = await place.visit();
  const stranger = await place.stranger();

  await signedIn.goto(await sendAddress());
  await logIn(signedIn, place.admin);
  assert.equal(await messageOn(signedIn), "連携の操作の有効期限が切れたか、すでに完了しています。");

  await stranger.goto(await sendAddress());
  world.cabinet.nextSignIn(world.owner("tenant-2"));
  await logIn(stranger, place.admin);
  assert.equal(await messageOn(stranger), "連携の操作の有効期限が切れたか、すでに完了しています。");

  assert.equal((await (await world.api("attacker")).get("/v1/link")).status, 404);
  assert.equal(await hasLink(place), false);
});

async function hasLink({ world }: PageWorld): Promise<boolean> {
  return (await (await world.api()).get("/v1/link")).status === 200;
}

/** Returns the link card's value under this name. */
async function fact(page: Page, name: string): Promise<string> {
  const row = page.locator(".facts > div", { has: page.locator("dt", { hasText: name }) });
  return await row.first().locator("dd").innerText();
}
