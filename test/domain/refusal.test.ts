import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal, type RefusalCode } from "../../src/domain/refusal.ts";

/** The table "Messages (exact)" of import-rules 5. */
const MESSAGES: [code: RefusalCode, message: string][] = [
  [
    "not-admin",
    "連携できないユーザーです。DocusignユーザーのデフォルトアカウントがDS Adminかどうか確認してください。",
  ],
  ["group-not-found", "取り込み先契約書グループが見つかりませんでした。"],
  ["link-not-found", "連携情報が見つかりませんでした。"],
  ["deletion-failed", "削除に失敗しました。もう一度お試しください。"],
];

for (const [code, message] of MESSAGES) {
  test(`${code} is refused with the help page's words`, () => {
    assert.equal(new Refusal(code).message, message);
  });
}

test("a refusal without a message has its code as its message", () => {
  assert.equal(new Refusal("gone").message, "gone");
});

test("a refusal has its code, message and cause", () => {
  const cause = new Error("DocuSign is away");

  const refusal = new Refusal("deletion-failed", "later", { cause });

  assert.deepEqual(
    [refusal.name, refusal.code, refusal.message, refusal.cause],
    ["Refusal", "deletion-failed", "later", cause],
  );
});
