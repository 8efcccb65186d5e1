import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { sharedChromium } from "../support/chromium.ts";
import { CUSTOMER, concludeUnheard } from "../support/linked-world.ts";
import { createPageWorld, linkOnPage, type PageWorld, stateOn } from "./page-world.ts";

const chromium = sharedChromium();
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = [
  { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { viewport: { width: 320, height: 640 }, colorScheme: "dark" },
] as const;

test("the page without a link meets WCAG 2.2 AA and fits 320 px, in light and dark mode", async () => {
  await using place = await createPageWorld(chromium);

  for (const look of LOOKS) {
    const page = await place.visit("owner", look);
    await assertAccessible(page);
    await linkOnPage(place, page, place.colleague);
    assert.equal(await page.getByRole("alert").count(), 1);
    await assertAccessible(page);
    await page.goto("/links/nowhere");
    await assertAccessible(page);
  }
});

test("the page of a link with all details meets WCAG 2.2 AA and fits 320 px, in light and dark mode", async () => {
  await using place = await createPageWorld(chromium);
  const envelopeId = await liveALittle(place);

  for (const look of LOOKS) {
    const page = await place.visit("owner", look);
    for (const address of [
      `/links?envelope=${envelopeId}`,
      "/links?edit=1",
      "/links?q=pdf",
      "/links?envelope=%E6%96%87%E6%9B%B8",
      "/links/envelopes?outcome=imported",
      "/links/envelopes?outcome=excluded",
      "/links/delete",
    ]) {
      await page.goto(address);
      await assertAccessible(page);
    }
  }
});

test("waiting and error states meet WCAG 2.2 AA and fit 320 px, in light and dark mode", async () => {
  await using place = await createPageWorld(chromium, { config: { largeImport: 1 } });
  const { world } = place;
  await world.docusign.concludeEnvelope({ from: place.colleague, to: [CUSTOMER] });
  await world.link(place.admin, { group: "sales" });
  const visitors = await Promise.all(LOOKS.map(async (look) => await place.visit("owner", look)));
  const everybodySees = async (): Promise<void> => {
    for (const page of visitors) {
      await page.goto("/links");
      await assertAccessible(page);
    }
  };

  await everybodySees();
  await (await world.api()).send("POST", "/v1/link/approve");
  await everybodySees();
  await world.runJobs();
  world.docusign.revokeConsent(place.admin);
  await world.runHour();
  await everybodySees();
  assert.equal(await stateOn(visitors[0]!), "エラー");
});

test("an owner can link, edit and delete by keyboard alone, with a visible focus throughout", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  assert.deepEqual(await tabThrough(page, 7), [
    "本文へ移動",
    "契約書キャビネ",
    "ログアウト",
    "取り込み先契約書グループ",
    "連携サービス",
    "詳細設定",
    "連携",
  ]);
  await focus(page, "取り込み先契約書グループ");
  await page.keyboard.press("ArrowDown");
  await focus(page, "連携サービス");
  await page.keyboard.press("ArrowDown");
  place.world.docusign.nextLogin(place.admin);
  await press(page, "連携");
  await page.waitForURL(/result=linked/);
  assert.equal(await stateOn(page), "連携済み");

  await press(page, "編集");
  await focus(page, "取り込み先契約書グループ");
  await page.keyboard.press("ArrowDown");
  await press(page, "連携");
  assert.match(await page.locator(".message").innerText(), /変更しました/);

  await press(page, "削除");
  await press(page, "削除");
  assert.match(await page.locator(".message").innerText(), /削除しました/);
});

test("the printed page shows facts and figures, but no controls", async () => {
  await using place = await createPageWorld(chromium);
  await liveALittle(place);
  const page = await place.visit();

  await page.emulateMedia({ media: "print" });

  for (const button of await page.getByRole("button").all()) assert.equal(await button.isVisible(), false);
  assert.equal(await page.getByRole("region", { name: "件数の内訳" }).isVisible(), true);
});

/** Creates a link with a reconciliation, an exclusion, a deletion and a previous link; returns an envelope id. */
async function liveALittle(place: PageWorld): Promise<string> {
  const { world } = place;
  const wish = { from: place.colleague, to: [CUSTOMER] };
  await world.docusign.purgeDocuments(await world.docusign.concludeEnvelope(wish), "documents_purged");
  await world.link(place.admin, { group: "former" });
  await world.runJobs();
  await (await world.api()).send("DELETE", "/v1/link");
  await linkOnPage(place, await place.visit(), place.admin);
  await world.runJobs();
  const envelope = await world.docusign.concludeEnvelope(wish);
  await world.runJobs();
  await concludeUnheard(world, wish);
  await world.runHour();
  await world.runHour();
  return envelope.envelopeId;
}

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const found: any = await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(TAGS)} })`);
  const faults = found.violations.map(
    (fault: any) => `${fault.id}: ${fault.nodes.map((node: any) => node.html)}`,
  );
  assert.deepEqual(faults, [], page.url());
  const [content, window] = [
    await page.evaluate("document.documentElement.scrollWidth"),
    await page.evaluate("innerWidth"),
  ];
  assert.equal(content, window, `${page.url()} scrolls sideways`);
}

/** Presses Tab repeatedly and returns the names of the focused elements; each must show its focus. */
async function tabThrough(page: Page, times: number): Promise<string[]> {
  const names: string[] = [];
  for (let time = 0; time < times; time += 1) names.push(await tab(page));
  return names;
}

/** Presses Tab and returns the focused element's name; empty if the browser's own window has the focus. */
async function tab(page: Page): Promise<string> {
  await page.keyboard.press("Tab");
  const focused: any = await page.evaluate(`(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { name: (element.labels?.[0] ?? element).textContent.trim(), outline: outlineStyle + " " + outlineWidth };
  })()`);
  if (focused === null) return "";
  assert.equal(focused.outline, "solid 3px", focused.name);
  return focused.name;
}

const MOST_TABS = 50;

/** Presses Tab until the element of this name has the focus. */
async function focus(page: Page, name: string): Promise<void> {
  for (let time = 0; time < MOST_TABS; time += 1) if ((await tab(page)) === name) return;
  assert.fail(`Tab does not reach ${name}`);
}

async function press(page: Page, name: string): Promise<void> {
  await focus(page, name);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}
