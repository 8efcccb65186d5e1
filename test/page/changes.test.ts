import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { breakStore, repairStore } from "../support/broken-store.ts";
import { sharedChromium } from "../support/chromium.ts";
import { CUSTOMER, concludeUnheard, endLink, linkOf, subjects } from "../support/linked-world.ts";
import { createPageWorld, linkOnPage, messageOn, stateOn } from "./page-world.ts";

const chromium = sharedChromium();

test("編集 and 連携 redirect future imports to another group without a login", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  const logins = place.world.docusign.callsTo("/oauth/auth").length;

  await page.getByRole("button", { name: "編集" }).click();
  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await page.getByRole("button", { name: "連携", exact: true }).click();

  assert.equal(await messageOn(page), "取り込み先契約書グループを変更しました。");
  assert.equal((await linkOf(place.world)).groupId, "legal");
  assert.equal(place.world.docusign.callsTo("/oauth/auth").length, logins);
});

test("編集 changes the options too: certificates, and an earlier start date", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  await world.link(place.admin, { group: "sales", wish: { from: "2031-01-10" } });
  const page = await place.visit();
  const edit = async (date: string): Promise<void> => {
    await page.getByRole("button", { name: "編集" }).click();
    await page.getByText("詳細設定").click();
    const field = page.getByLabel("取り込みを始める日");
    await field.evaluate((input) => input.removeAttribute("max"));
    await field.fill(date);
    await page.getByLabel("完了証明書も取り込む").check();
    await page.getByRole("button", { name: "連携", exact: true }).click();
  };

  await edit("2031-01-12");
  const refused = [await messageOn(page), (await linkOf(world)).certificates];
  await edit("2031-01-05");
  const { from, certificates } = await linkOf(world);
  assert.equal(await messageOn(page), "連携の設定を変更しました。");

  assert.deepEqual(refused, ["取り込みを始める日を確認してください。", false]);
  assert.deepEqual([from, certificates], ["2031-01-05", true]);
});

test("一時停止 and 再開 stop and resume imports, and the history shows who did so", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();

  await page.getByRole("button", { name: "一時停止" }).click();
  const paused = [await messageOn(page), await stateOn(page)];
  await concludeUnheard(world, { from: place.colleague, to: [CUSTOMER], subject: "停止中の契約書" });
  await world.runHour();
  const during = await subjects(world);
  await page.getByRole("button", { name: "再開" }).click();
  const resumed = [await messageOn(page), await stateOn(page)];
  await world.runJobs();

  assert.deepEqual(paused, ["契約書の取り込みを一時停止しました。", "一時停止中"]);
  assert.deepEqual(during, []);
  assert.deepEqual(resumed, ["契約書の取り込みを再開しました。", "連携済み"]);
  assert.deepEqual(await subjects(world), ["停止中の契約書"]);
  const history = await page.getByRole("region", { name: "連携履歴" }).innerText();
  assert.match(history, /一時停止 所有者[^]*再開 所有者/);
});

test("editing can be cancelled, and a group deleted meanwhile is refused in the help page's words", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);

  await page.getByRole("button", { name: "編集" }).click();
  await page.getByRole("link", { name: "キャンセル" }).click();
  assert.equal(await page.getByLabel("取り込み先契約書グループ").count(), 0);

  await page.getByRole("button", { name: "編集" }).click();
  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await (await place.world.api()).send("DELETE", "/v1/groups/legal");
  await page.getByRole("button", { name: "連携", exact: true }).click();
  assert.equal(await page.getByRole("alert").innerText(), "取り込み先契約書グループが見つかりませんでした。");
  await page.reload();
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.deepEqual(await page.getByLabel("取り込み先契約書グループ").getByRole("option").allInnerTexts(), [
    "選択してください",
    "営業部の契約書",
  ]);
  assert.equal((await linkOf(place.world)).groupId, "sales");
});

test("削除 asks for confirmation, can be cancelled, and then ends the link while the contracts remain", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER], subject: "残る契約書" });
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();

  await page.getByRole("button", { name: "削除" }).click();
  assert.match(await page.locator("main").innerText(), /取り込み済みの契約書と連携履歴は残ります。/);
  assert.match(await page.locator("main").innerText(), /Connected Apps/);
  await page.getByRole("link", { name: "キャンセル" }).click();
  assert.equal(await stateOn(page), "連携済み");

  await page.getByRole("button", { name: "削除" }).click();
  await page.getByRole("button", { name: "削除" }).click();
  assert.equal(await messageOn(page), "DocuSignとの連携を削除しました。");
  assert.equal((await (await world.api()).get("/v1/link")).status, 404);
  assert.deepEqual(await subjects(world), ["残る契約書"]);
  assert.match(await page.getByRole("region", { name: "連携履歴" }).innerText(), /取り込み済み 1件/);
});

test("a deletion that cannot reach DocuSign fails in the help page's words, and the link stays unchanged", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);

  await page.getByRole("button", { name: "削除" }).click();
  place.world.docusign.goDown();
  await page.getByRole("button", { name: "削除" }).click();

  assert.equal(await page.getByRole("alert").innerText(), "削除に失敗しました。もう一度お試しください。");
  assert.equal(await stateOn(page), "連携済み");
  place.world.docusign.comeUp();
});

test("a deletion of which the document store takes no record fails in the same words", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);

  await page.getByRole("button", { name: "削除" }).click();
  await breakStore(place.world);
  await page.getByRole("button", { name: "削除" }).click();
  await repairStore(place.world);

  assert.equal(await page.getByRole("alert").innerText(), "削除に失敗しました。もう一度お試しください。");
  assert.equal((await linkOf(place.world)).state, "active");
});

test("a repeated deletion succeeds, but only for the tenant's own link", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  const one = await openTab(page, "/links/delete");
  const other = await openTab(page, "/links/delete");
  const id = await one.locator("input[name=link]").inputValue();

  await one.getByRole("button", { name: "削除" }).click();
  await other.getByRole("button", { name: "削除" }).click();
  assert.equal(await messageOn(one), "DocuSignとの連携を削除しました。");
  assert.equal(await messageOn(other), "DocuSignとの連携を削除しました。");

  const neighbour = await place.visit(world.owner("tenant-2"));
  const csrf = await neighbour.locator("input[name=csrf]").first().inputValue();
  const answer = await neighbour.request.post("/links/delete", { form: { csrf, link: id } });
  assert.match(await answer.text(), /連携情報が見つかりませんでした。/);
});

test("a page left open has no effect on a later link", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  const editing = await openTab(page, "/links?edit=1");
  const deleting = await openTab(page, "/links/delete");
  await endLink(world);
  await world.link(place.admin, { group: "sales" });

  await deleting.getByRole("button", { name: "削除" }).click();
  await editing.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await editing.getByRole("button", { name: "連携", exact: true }).click();

  assert.equal(await stateOn(deleting), "連携済み");
  assert.equal(await editing.getByRole("alert").innerText(), "連携情報が見つかりませんでした。");
  assert.equal((await linkOf(world)).groupId, "sales");
});

test("without a link there is nothing to edit or delete, in the help page's words", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await page.getByRole("button", { name: "編集" }).click();
  await endLink(place.world);

  await page.getByRole("button", { name: "連携", exact: true }).click();
  assert.equal(await page.getByRole("alert").innerText(), "連携情報が見つかりませんでした。");

  await page.goto("/links/delete");
  assert.equal(await page.getByRole("alert").innerText(), "連携情報が見つかりませんでした。");
});

test("a large first import shows its count and duration, and waits for 取り込みを開始", async () => {
  await using place = await createPageWorld(chromium, { config: { largeImport: 3 } });
  const { world } = place;
  for (const subject of ["一", "二", "三"]) {
    await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER], subject });
  }
  const page = await place.visit();

  await linkOnPage(place, page, place.admin);
  assert.equal(await stateOn(page), "開始待ち");
  const approval = page.getByRole("region", { name: "初回の取り込みの確認" });
  assert.match(
    await approval.innerText(),
    /DocuSignで締結が完了したエンベロープ\s*3件\s*所要時間の目安\s*1分未満/,
  );
  const totals = await page.getByRole("region", { name: "件数の内訳" }).innerText();
  assert.match(totals, /DocuSignで締結が完了したエンベロープ\s*3件/);
  assert.match(totals, /取り込み待ち\s*3件\s*取り込みの開始待ち\s*3件/);
  await world.runJobs();
  assert.deepEqual(await subjects(world), []);

  await page.getByRole("button", { name: "取り込みを開始" }).click();
  assert.equal(await messageOn(page), "初回の取り込みを開始しました。");
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["一", "三", "二"]);
});

test("an error shows its cause, and 連携 by the same user repairs the link and fills the gap", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();
  world.docusign.revokeConsent(place.admin);
  await world.runHour();
  await concludeUnheard(world, { from: place.colleague, to: [CUSTOMER], subject: "エラーの間に" });

  await page.goto("/links");
  assert.equal(await stateOn(page), "エラー");
  assert.match(await page.locator(".notice").innerText(), /許可が取り消されたか/);
  world.docusign.nextLogin(place.admin);
  await page.getByRole("button", { name: "連携", exact: true }).click();

  assert.equal(await messageOn(page), "DocuSignと連携しました。");
  assert.equal(await stateOn(page), "連携済み");
  await world.runHour();
  assert.deepEqual(await subjects(world), ["エラーの間に"]);
});

test("another user cannot repair a link: it must be deleted first", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const other = world.docusign.addUser(place.account, { name: "別の管理者", role: "DS Admin" });
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  world.docusign.revokeConsent(place.admin);
  await world.runHour();
  await page.goto("/links");

  world.docusign.nextLogin(other);
  await page.getByRole("button", { name: "連携", exact: true }).click();

  assert.match(await page.getByRole("alert").innerText(), /異なるユーザーまたはアカウントでログインした/);
  assert.match(await page.locator(".hint").innerText(), /\[削除\] してから、別のDS Adminのユーザーで連携/);
  assert.equal(await stateOn(page), "エラー");
});

test("the page reports a missing group, and choosing another group repairs the link", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();
  await (await world.api()).send("DELETE", "/v1/groups/sales");

  await page.goto("/links");
  assert.equal(await stateOn(page), "エラー");
  assert.match(await page.locator(".notice").innerText(), /取り込み先契約書グループが見つかりませんでした。/);
  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await page.getByRole("button", { name: "連携", exact: true }).click();

  assert.equal(await messageOn(page), "取り込み先契約書グループを変更しました。");
  assert.equal(await stateOn(page), "連携済み");
});

async function openTab(page: Page, address: string): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto(address);
  return tab;
}
