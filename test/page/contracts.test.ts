import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedChromium } from "../support/chromium.ts";
import { CUSTOMER, concludeUnheard } from "../support/linked-world.ts";
import { createPageWorld, linkOnPage } from "./page-world.ts";

const chromium = sharedChromium();

test("the imported contracts are listed fifty at a time, newest first, and link into the cabinet", async () => {
  await using place = await createPageWorld(chromium, {
    config: {
      page: {
        productName: "文書の棚",
        supportUrl: "https://support.example/ask",
        contractUrl: "https://cabinet.example/contracts/{id}",
      },
    },
  });
  const { world } = place;
  for (let number = 1; number <= 52; number += 1) {
    await concludeUnheard(world, {
      from: place.colleague,
      to: [CUSTOMER],
      documents: [{ name: `契約書${number}.docx` }],
    });
  }
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();
  await page.goto("/links");
  const section = page.getByRole("region", { name: "取り込んだ契約書" });
  const names = async (): Promise<string[]> => await section.getByRole("rowheader").allInnerTexts();

  const first = await names();
  await section.getByRole("link", { name: "次の50件" }).click();
  const second = await names();

  assert.deepEqual([first.length, second.length], [50, 2]);
  assert.equal(new Set([...first, ...second]).size, 52);
  const address = await section.getByRole("link").first().getAttribute("href");
  assert.match(address ?? "", /^https:\/\/cabinet\.example\/contracts\/[0-9a-f-]{36}$/);
  assert.equal(await section.getByRole("link", { name: "次の50件" }).count(), 0);
  assert.match(await page.locator("header").innerText(), /文書の棚/);
  await page.getByText("Q8. ").click();
  assert.equal(
    await page.getByRole("link", { name: "サポート窓口" }).first().getAttribute("href"),
    "https://support.example/ask",
  );
});

test("the CSV holds all contracts of the tenant, and no cell that a spreadsheet would run", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const documents = [{ name: '=HYPERLINK("x","y").pdf' }, { name: "秘密保持契約書, 別紙.pdf" }];
  await world.docusign.concludeEnvelope({
    from: place.colleague,
    to: [CUSTOMER],
    documents,
    subject: "+81 契約",
  });
  const page = await place.visit("member");
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();

  const answer = await page.request.get("/links/contracts.csv");

  const text = (await answer.body()).toString("utf8");
  assert.equal(answer.headers()["content-type"], "text/csv; charset=utf-8");
  assert.match(answer.headers()["content-disposition"] ?? "", /attachment; filename="contracts\.csv"/);
  const [head, ...lines] = text.split("\r\n");
  assert.equal(head, "\uFEFFファイル名,件名,契約締結日,取り込み日時,契約書グループ,エンベロープID,契約書ID");
  assert.equal(lines.pop(), "");
  assert.equal(lines.length, 2);
  assert.ok(lines.some((line) => line.startsWith(`"'=HYPERLINK(""x"",""y"").pdf",'+81 契約,2031-01-15,`)));
  assert.ok(lines.some((line) => line.startsWith('"秘密保持契約書, 別紙.pdf",')));
});

test("contracts are found by words on the page, in the CSV, and in the look-up", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  for (const name of ["秘密保持契約書A.pdf", "秘密保持契約書B.pdf", "業務委託契約書.pdf"]) {
    const documents = [{ name }];
    await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER], documents });
  }
  await world.link(place.admin, { group: "sales" });
  await world.runJobs();
  const page = await place.visit("member");
  const section = page.getByRole("region", { name: "取り込んだ契約書" });

  await section.getByRole("searchbox").fill("秘密");
  await section.getByRole("button", { name: "検索" }).click();
  assert.deepEqual((await section.getByRole("rowheader").allInnerTexts()).sort(), [
    "秘密保持契約書A.pdf",
    "秘密保持契約書B.pdf",
  ]);
  const csv = await page.request.get(
    (await section.getByRole("link", { name: "CSV" }).getAttribute("href")) ?? "",
  );
  assert.equal((await csv.text()).trim().split("\r\n").length, 3);
  await section.getByRole("searchbox").fill("賃貸");
  await section.getByRole("button", { name: "検索" }).click();
  assert.match(await section.innerText(), /該当する契約書はありません。/);

  const answer = page.getByRole("region", { name: "エンベロープの照会" });
  await answer.getByRole("textbox").fill("委託");
  await answer.getByRole("button", { name: "照会" }).click();
  assert.match(await answer.innerText(), /取り込み済み[^]*業務委託契約書\.pdf/);
  await answer.getByRole("textbox").fill("秘密");
  await answer.getByRole("button", { name: "照会" }).click();
  await answer.getByRole("link", { name: "秘密保持契約書B.pdf" }).click();
  assert.match(await answer.getByRole("status").innerText(), /取り込みました。/);
});

test("behind each count are its envelopes with the reason, and each leads to its explanation", async () => {
  await using place = await createPageWorld(chromium);
  const { world } = place;
  const wish = { from: place.colleague, to: [CUSTOMER] };
  await world.docusign.concludeEnvelope({ ...wish, documents: [{ name: "業務委託契約書.docx" }] });
  const purged = await world.docusign.concludeEnvelope(wish);
  await world.docusign.purgeDocuments(purged, "documents_purged");
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await world.runJobs();
  await page.goto("/links");

  await page.getByRole("link", { name: "取り込み済み" }).click();
  const row = page.getByRole("row").nth(1);
  assert.match(await row.innerText(), /業務委託契約書\.docx[^]*連携アカウントのユーザーが送信した/);
  await page.getByRole("link", { name: "件数の内訳へ戻る" }).click();
  await page.getByRole("link", { name: "取り込み対象外" }).click();
  assert.match(await page.getByRole("row").nth(1).innerText(), /DocuSignで文書が消去された/);
  await page.getByRole("link", { name: purged.envelopeId }).click();

  assert.match(
    await page.getByRole("region", { name: "エンベロープの照会" }).getByRole("status").innerText(),
    /消去/,
  );
  assert.equal((await page.goto("/links/envelopes?outcome=other"))?.status(), 404);
});

test("the history shows who linked, edited and ended a link, and when", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();
  await linkOnPage(place, page, place.admin);
  await page.getByRole("button", { name: "編集" }).click();
  await page.getByLabel("取り込み先契約書グループ").selectOption("法務部の契約書");
  await page.getByRole("button", { name: "連携", exact: true }).click();
  await (await place.world.api()).send("DELETE", "/v1/link");

  await page.goto("/links");

  const lines = await page.getByRole("region", { name: "連携履歴" }).getByRole("listitem").allInnerTexts();
  const owner = place.world.owner();
  assert.deepEqual(lines.slice(1), [
    `2031年1月15日 12:10 連携 ${owner.name}`,
    `2031年1月15日 12:10 編集 ${owner.name}`,
    `2031年1月15日 12:10 削除 ${owner.sub}`,
  ]);
});

test("the page answers the help page's sixteen questions, and says what is imported", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit("member");

  const questions = await page
    .getByRole("region", { name: "よくあるご質問" })
    .locator("summary")
    .allInnerTexts();

  assert.deepEqual(
    questions.map((question) => question.split(" ")[0]),
    Array.from({ length: 16 }, (_question, index) => `Q${index + 1}.`),
  );
  await page.getByText("Q11. ").click();
  assert.match(
    await page.getByRole("region", { name: "よくあるご質問" }).innerText(),
    /転送前の宛先に準じます。/,
  );
  const scope = page.getByRole("region", { name: "取り込み対象" });
  assert.match(
    (await scope.innerText()).replaceAll(/\s+/g, " "),
    /DS Sender権限 ◯ 取り込み対象 × 取り込み対象外/,
  );
});
