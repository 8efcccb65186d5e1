import assert from "node:assert/strict";
import { test } from "node:test";
import { findEnvelopeId } from "../../src/web/page/sections/inquiry.ts";
import { messageFor } from "../../src/web/page/sections/messages.ts";
import { duration, moment, shortDuration, shortMoment } from "../../src/web/page/words.ts";

const ID = "9f1d6f0e-3c5b-4a58-8d3a-0a2f6d7b1c11";
const ACCOUNT = "11111111-2222-4333-8444-555555555555";

const PASTED: readonly (readonly [what: string, text: string, id: string | null])[] = [
  ["an id", ID, ID],
  ["an id in capitals, among spaces", `  ${ID.toUpperCase()}\n`, ID],
  ["an id without dashes", ID.replaceAll("-", ""), ID],
  [
    "an id in full-width letters",
    ID.replace(/[0-9a-f]/g, (c) => String.fromCodePoint(c.charCodeAt(0) + 0xfee0)),
    ID,
  ],
  ["the stamp on a document", `Docusign Envelope ID: ${ID.toUpperCase()}`, ID],
  ["the address of the details", `https://apps.docusign.com/send/documents/details/${ID}?view=1`, ID],
  [
    "an address of the API",
    `https://na3.docusign.net/restapi/v2.1/accounts/${ACCOUNT}/envelopes/${ID}/documents`,
    ID,
  ],
  ["an address with the account last", `https://x.docusign.net/?envelopeId=${ID}&accountId=${ACCOUNT}`, ID],
  ["an escaped address", `https://account.docusign.com/?return=%2Fdetails%2F${ID}%26a%3D${ACCOUNT}`, ID],
  ["a longer number", `${ID.replaceAll("-", "")}00`, null],
  ["no id at all", "契約書", null],
  ["an id far behind", `${"x".repeat(2_000)}${ID}`, null],
];

for (const [what, text, id] of PASTED) {
  test(`an envelope's id is ${id === null ? "not " : ""}found in ${what}`, () => {
    assert.equal(findEnvelopeId(text), id);
  });
}

test("times are shown in Japan's time", () => {
  const at = new Date("2031-03-31T15:00:00Z");

  assert.equal(moment(at).toString(), '<time datetime="2031-03-31T15:00:00.000Z">2031年4月1日 00:00</time>');
  assert.match(shortMoment(at).toString(), />4\/1 00:00</);
});

const DURATIONS: readonly (readonly [ms: number, words: string])[] = [
  [-5_000, "1分未満"],
  [29_000, "1分未満"],
  [60_000, "約1分"],
  [3_600_000, "約1時間"],
  [12_000_000, "約3時間20分"],
  [26 * 3_600_000, "約1日2時間"],
  [48 * 3_600_000, "約2日"],
];

for (const [ms, words] of DURATIONS) {
  test(`${ms} ms are shown as ${words}`, () => assert.equal(duration(ms), words));
}

test("a run's duration is shown to the second", () => {
  assert.equal(shortDuration(999), "1秒未満");
  assert.equal(shortDuration(8_349), "8.3秒");
  assert.equal(shortDuration(59_400), "59秒");
  assert.equal(shortDuration(125_000), "2分5秒");
});

test("the help page's four messages appear word for word, each for its code only", () => {
  const texts = {
    "not-admin":
      "連携できないユーザーです。DocusignユーザーのデフォルトアカウントがDS Adminかどうか確認してください。",
    "group-not-found": "取り込み先契約書グループが見つかりませんでした。",
    "link-not-found": "連携情報が見つかりませんでした。",
    "deletion-failed": "削除に失敗しました。もう一度お試しください。",
  };

  for (const [code, text] of Object.entries(texts)) {
    const message = messageFor(code, null);
    assert.equal(message?.text, text);
    assert.equal(message?.tone, "bad");
  }
  const others = [
    "linked",
    "awaiting-approval",
    "already-linked",
    "cancelled",
    "expired",
    "failed",
    "deleted",
  ];
  for (const code of others) {
    for (const state of [null, "active", "awaiting-approval"] as const) {
      assert.ok(!Object.values(texts).includes(messageFor(code, state)?.text ?? ""), code);
    }
  }
});
