import assert from "node:assert/strict";
import { test } from "node:test";
import { createPageWorld, linkOnPage, messageOn, sharedChromium, stateOn } from "./page-world.ts";

const chromium = sharedChromium();

test("an owner chooses group and service, clicks 連携, logs in at DocuSign, and sees the link", async () => {
  await using place = await createPageWorld(chromium);
  const page = await place.visit();

  await linkOnPage(place, page, place.admin);

  assert.equal(await messageOn(page), "DocuSignと連携しました。");
  assert.equal(await stateOn(page), "連携済み");
  await page.screenshot({ path: "/tmp/shot.png", fullPage: true });
});
