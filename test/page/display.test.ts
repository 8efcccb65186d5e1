import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedChromium } from "../support/chromium.ts";
import { CUSTOMER, concludeUnheard } from "../support/linked-world.ts";
import { chooseAndLink, createPageWorld, linkOnPage, logIn, messageOn, stateOn } from "./page-world.ts";

const chromium = sharedChromium();

test("the progress of the first import updates itself until the import is complete", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  for (const subject of ["一", "二"]) {
    await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER], subject });
  }
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  const progress = page.getByRole("region", { name: "初回の取り込み" });
  assert.match(await progress.innerText(), /2件中0件（0%）の処理が完了しました。/);

  await world.runJobs();

  await page.getByText("初回の取り込みが完了しました。").waitFor();
  assert.equal(await progress.count(), 0);
  assert.match(await page.getByRole("region", { name: "件数の内訳" }).innerText(), /取り込み済み\s*2件/);
});

test("everything works without JavaScript", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit("owner", { javaScriptEnabled: false });

  await chooseAndLink(page);
  await logIn(page, place.admin);
  assert.equal(await messageOn(page), "DocuSignと連携しました。");
  await place.world.runJobs();
  await page.getByRole("link", { name: "最新の状態に更新" }).click();
  assert.equal(await page.getByRole("region", { name: "初回の取り込み" }).count(), 0);

  await page.getByRole("button", { name: "編集" }).click();
  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await page.getByRole("button", { name: "連携", exact: true }).click();
  assert.equal(await messageOn(page), "取り込み先契約書グループを変更しました。");

  await page.getByRole("button", { name: "削除" }).click();
  await page.getByRole("button", { name: "削除" }).click();
  assert.equal(await messageOn(page), "DocuSignとの連携を削除しました。");
});

test("the totals add up and explain why the counts differ", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const { docusign } = world;
  const wish = { from: place.colleague, to: [CUSTOMER] };
  await docusign.concludeEnvelope({
    ...wish,
    documents: [{ name: "一.pdf" }, { name: "二.pdf" }, { name: "三.pdf" }],
  });
  await docusign.concludeEnvelope({ ...wish, subject: "削除する" });
  await docusign.purgeDocuments(await docusign.concludeEnvelope(wish), "documents_purged");
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();
  const contracts = await world.contracts();
  const doomed = contracts.find((contract) => contract.source.subject === "削除する");
  await (await world.api()).send("DELETE", `/v1/contracts/${doomed.id}`);
  docusign.serveNextDownloadAs("no PDF");
  await concludeUnheard(world, wish);
  await world.runHour();
  await docusign.concludeEnvelope({ ...wish, subject: "まだ順番待ち" });

  await page.goto("/links");

  const totals = (await page.getByRole("region", { name: "件数の内訳" }).innerText()).replaceAll(/\s+/g, " ");
  assert.match(totals, /DocuSignで締結が完了したエンベロープ 5件/);
  assert.match(totals, /取り込み済み 1件 キャビネのファイル 3件/);
  assert.match(totals, /取り込み対象外 1件 DocuSignで文書が消去された 1件/);
  assert.match(totals, /キャビネで削除 1件/);
  assert.match(totals, /取り込み待ち 2件 取得した文書がPDFではない 1件 取り込みの順番待ち 1件/);
});

test("files count towards the link that now accounts for them, whichever link imported them", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER] });
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();
  await (await world.api()).send("DELETE", "/v1/link");
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();

  const page = await place.visit();

  assert.match(
    (await page.getByRole("region", { name: "件数の内訳" }).innerText()).replaceAll(/\s+/g, " "),
    /取り込み済み 1件 キャビネのファイル 1件/,
  );
});

test("the latest reconciliations are listed in Japan's time, with what was imported and what events missed", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();
  await world.runHour();
  await concludeUnheard(world, { from: place.colleague, to: [CUSTOMER] });
  await world.runHour();

  const page = await place.visit();

  const runs = page.getByRole("region", { name: "照合の履歴" });
  const heads = await runs.getByRole("columnheader").allInnerTexts();
  assert.deepEqual(heads, ["日時", "種類", "取り込んだ契約書", "照合で発見", "取り込み対象外", "所要時間"]);
  const latest = runs.getByRole("row").nth(1);
  const cells = [
    await latest.getByRole("rowheader").innerText(),
    ...(await latest.getByRole("cell").allInnerTexts()),
  ];
  assert.deepEqual(cells.slice(0, 5), ["1/15 14:00", "毎時", "1", "1", "0"]);
  const label = "通知が届かず、照合で見つけたエンベロープ：直近2回の合計1件、最多1件";
  assert.equal(await runs.getByRole("img", { name: label }).count(), 1);
});

test("an account without Connect works with hourly imports alone, and the page says so", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  place.account.connect = false;
  place.account.recipientConnect = false;
  const page = await place.visit();

  await linkOnPage(place, page, place.admin);

  assert.equal(await stateOn(page), "連携済み");
  const card = await page.getByRole("region", { name: "連携サービス DocuSign" }).innerText();
  assert.match(card, /1時間ごとの照合だけで取り込みます/);
  assert.doesNotMatch(card, /有効\n/);
  assert.equal(world.docusign.callsTo("/oauth/auth").length, 1);
});

test("an envelope is explained by its id or a DocuSign address, to members too", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();
  const envelope = await world.docusign.concludeEnvelope({
    from: place.colleague,
    to: [CUSTOMER],
    documents: [{ name: "秘密保持契約書.docx" }],
  });
  await world.runJobs();
  const page = await place.visit("member");
  const answer = page.getByRole("region", { name: "エンベロープの照会" });

  await page
    .getByLabel(/エンベロープID/)
    .fill(`https://apps.docusign.com/send/documents/details/${envelope.envelopeId}?x=1`);
  await page.getByRole("button", { name: "照会" }).click();
  assert.match(await answer.innerText(), /取り込み済み/);
  assert.match(
    await answer.getByRole("status").innerText(),
    /連携アカウントのユーザーが送信し、日本時間2031年1月15日/,
  );
  assert.match(await answer.innerText(), /秘密保持契約書\.docx\s*契約締結日 2031\/01\/15\s*契約書/);
  assert.match(await answer.innerText(), /締結完了/);

  await page.getByLabel(/エンベロープID/).fill("何かほかのもの <script>");
  await page.getByRole("button", { name: "照会" }).click();
  assert.equal(
    await answer.getByRole("status").innerText(),
    "エンベロープIDが見つかりませんでした。ファイル名や件名が一致する、取り込み済みの契約書もありません。IDかアドレスをもう一度ご確認ください。",
  );
  assert.equal(await page.getByLabel(/エンベロープID/).inputValue(), "何かほかのもの <script>");

  await page.goto("/links?envelope=00000000-0000-4000-8000-000000000000");
  assert.match(await answer.getByRole("status").innerText(), /見つかりませんでした/);
});

test("names from outside are shown escaped", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const account = world.docusign.addAccount({ name: `<img src=x onerror="alert(1)">` });
  const user = world.docusign.addUser(account, { name: "</dd><script>alert(2)</script>", role: "DS Admin" });
  await (await world.api()).send("PUT", "/v1/groups/sales", { name: `"><b>営業</b>` });
  const page = await place.visit();

  await linkOnPage(place, page, user, `"><b>営業</b>`);

  const card = await page.getByRole("region", { name: "連携サービス DocuSign" }).innerText();
  assert.match(card, /<img src=x onerror="alert\(1\)">/);
  assert.match(card, /<\/dd><script>alert\(2\)<\/script>/);
  assert.match(card, /"><b>営業<\/b>/);
});
