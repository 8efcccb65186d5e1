import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedChromium } from "../support/chromium.ts";
import { CUSTOMER, concludeUnheard, linkOf } from "../support/linked-world.ts";
import { chooseAndLink, createPageWorld, linkOnPage, logIn, messageOn, stateOn } from "./page-world.ts";

const chromium = sharedChromium();
const EIGHT_HOURS_MS = 8 * 60 * 60 * 1000;

for (const javaScriptEnabled of [true, false]) {
  test(`linking works if DocuSign redirects to another host, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async () => {
    await using place = await createPageWorld(chromium);
    const page = await place.visit("owner", { javaScriptEnabled });
    place.world.docusign.redirectNextLogin();

    await chooseAndLink(page);
    assert.equal(new URL(page.url()).hostname, "localhost");
    await logIn(page, place.admin);

    assert.equal(await messageOn(page), "DocuSignと連携しました。");
  });
}

test("if the linked person left, the page says to delete the link and to link another administrator", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const page = await place.visit();
  assert.match(await page.locator("main").innerText(), /管理者共用のユーザーでの連携をおすすめします/);
  await linkOnPage(place, page, place.admin);
  await world.runJobs();
  world.docusign.revokeConsent(place.admin);
  await world.runHour();

  await page.goto("/links");

  const advice = await page.locator(".notice").innerText();
  assert.match(advice, /この連携を削除してから、別のDS Adminのユーザーで連携してください。/);
  assert.match(advice, /その間に締結された取り込み対象の契約書を取り込みます。/);
  assert.match(
    await page.getByRole("region", { name: "連携サービス DocuSign" }).innerText(),
    /エラーの解消後に再開/,
  );
});

test("a result is shown once, and only to the session that it belongs to", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  assert.equal(await messageOn(page), "DocuSignと連携しました。");

  await page.reload();
  assert.equal(new URL(page.url()).searchParams.get("result"), "linked");
  assert.equal(await page.locator(".message").count(), 0);

  const member = await place.visit("member");
  await member.goto("/links?result=linked");
  assert.equal(await member.locator(".message").count(), 0);
});

test("when the first import ends, every section shows its end, and what an owner is typing stays", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER], subject: "一" });
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  assert.equal(await page.getByRole("region", { name: "取り込んだ契約書" }).count(), 0);
  await page.getByLabel(/エンベロープID/).fill("入力の途中");

  await world.runJobs();

  await page.getByText("初回の取り込みが完了しました。").waitFor();
  assert.equal(await page.getByRole("region", { name: "取り込んだ契約書" }).getByRole("row").count(), 2);
  assert.equal(await page.locator(".message").count(), 0);
  assert.equal(await page.getByLabel(/エンベロープID/).inputValue(), "入力の途中");
});

test("an envelope that is not found is explained by the rule for colleagues, or by the missing link", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  const unknown = "/links?envelope=00000000-0000-4000-8000-000000000000";
  const answerOn = async (): Promise<string> => {
    await page.goto(unknown);
    return await page.getByRole("region", { name: "エンベロープの照会" }).getByRole("status").innerText();
  };

  assert.match(await answerOn(), /現在はDocuSignと連携していないため/);
  await linkOnPage(place, page, place.admin);
  assert.match(await answerOn(), /連携ユーザー以外のユーザーが受信しただけのエンベロープは取り込み対象外/);
});

test("after a re-linking the page shows the tenant's files, and how many earlier links imported", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const elsewhere = world.docusign.addAccount({ name: "株式会社丙" });
  const successor = world.docusign.addUser(elsewhere, { name: "後任", role: "DS Admin" });
  await concludeUnheard(world, { from: place.colleague, to: [CUSTOMER] });
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();
  await (await world.api()).send("DELETE", "/v1/link");
  await concludeUnheard(world, { from: successor, to: [CUSTOMER] });
  await world.link(successor, { group: "sales" });
  await world.runJobs();

  const page = await place.visit();

  assert.match(
    (await page.getByRole("region", { name: "件数の内訳" }).innerText()).replaceAll(/\s+/g, " "),
    /キャビネのファイル 1件 以前の連携のファイル 1件、DocuSignから取り込んだファイルの合計 2件/,
  );
});

test("a change in an expired session is refused, says that nothing was changed, and leads to the sign-in", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await page.getByRole("button", { name: "編集" }).click();
  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");

  place.world.clock.pass(EIGHT_HOURS_MS);
  await page.getByRole("button", { name: "連携", exact: true }).click();

  assert.match(await page.locator("main").innerText(), /設定は変更されていません。/);
  place.world.cabinet.nextSignIn(place.world.owner());
  await page.getByRole("link", { name: "ログイン" }).click();
  assert.equal(await stateOn(page), "連携済み");
  assert.equal((await linkOf(place.world)).groupId, "sales");
});

test("a slow deletion shows that it is under way", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await page.getByRole("button", { name: "削除" }).click();
  await page.waitForURL(/delete/);
  // While a submitted form has no answer, the page can stop answering Playwright. So the form is held back first.
  await page.evaluate(`addEventListener("submit", (event) => event.preventDefault())`);

  await page.getByRole("button", { name: "削除" }).click();
  assert.match(await page.getByRole("status").innerText(), /連携を削除しています。/);

  await page.evaluate(`document.querySelector("form:has([role=status])").submit()`);
  assert.equal(await messageOn(page), "DocuSignとの連携を削除しました。");
});

test("a person without permission can sign out of the cabinet and come back as another user", async () => {
  await using place = await createPageWorld(chromium);
  const stranger = place.world.cabinet.addPerson({
    sub: "guest",
    name: "権限 なし",
    tenant: "tenant-1",
    role: "guest",
  });
  const page = await place.stranger();
  place.world.cabinet.nextSignIn(stranger);
  await page.goto("/links");
  assert.match(await page.locator("main").innerText(), /利用する権限がありません/);

  await page.getByRole("button", { name: "ログアウト" }).click();

  await page.waitForURL(`${place.world.cabinet.issuer}/**`);
  assert.match(await page.locator("main").innerText(), /ログアウト/);
});

test("a member on an owner's page can go back or sign out", async () => {
  await using place = await createPageWorld(chromium);
  await linkOnPage(place, await place.visit(), place.admin);
  const page = await place.visit("member");

  await page.goto("/links/delete");

  assert.equal(await page.getByRole("button", { name: "ログアウト" }).isVisible(), true);
  await page.getByRole("link", { name: "電子契約サービス連携へ戻る" }).click();
  assert.equal(await stateOn(page), "連携済み");
});
