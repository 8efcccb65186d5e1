import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, parseFinding } from "../../src/domain/explanation.ts";
import { ENGLISH } from "../../src/domain/explanation-en.ts";
import { JAPANESE } from "../../src/domain/explanation-ja.ts";
import type { FindingFacts } from "../../src/domain/finding.ts";
import { accountB, judge, link, recipient, sentFrom, u } from "./envelopes.ts";

const facts: FindingFacts = {
  status: "voided",
  completedAt: "2026-03-31T15:00:00.123Z",
  sentFrom: "2026-03-31T16:00:00.000Z",
  receivedFrom: "2026-04-30T15:00:00.000Z",
  sentByAccount: true,
  receivedByUser: false,
  waitingUntil: "2026-03-31T20:00:00.000Z",
};

const findings = Object.entries(ENGLISH).flatMap(([outcome, texts]) =>
  Object.keys(texts).map((reason) => parseFinding(outcome, reason) ?? assert.fail(`${outcome} ${reason}`)),
);

test("moments are told in Japan Standard Time in Japanese and in UTC in English", () => {
  assert.equal(
    explain("imported", "sent", facts, "ja"),
    "連携アカウントのユーザーが送信し、日本時間2026年4月1日00:00:00に締結が完了した契約書のため、取り込みました。",
  );
  assert.equal(
    explain("imported", "sent", facts, "en"),
    "Imported: a user of the linked account sent it, and it was completed at 2026-03-31 15:00:00 UTC.",
  );
});

test("an envelope from before the window is told with the start of the way it came", () => {
  assert.match(
    explain("excluded", "before-window", facts, "ja"),
    /日本時間2026年4月1日00:00:00.*送信した契約書は日本時間2026年4月1日01:00:00以後/,
  );
  assert.doesNotMatch(explain("excluded", "before-window", facts, "ja"), /受信した契約書は/);
  assert.equal(
    explain("excluded", "before-window", { ...facts, sentByAccount: false, receivedByUser: true }, "en"),
    "Not imported: it was completed (2026-03-31 15:00:00 UTC) before this link's imports begin (received: from 2026-04-30 15:00:00 UTC).",
  );
});

test("what waits for a known moment says until when", () => {
  assert.match(
    explain("waiting", "account-throttled", facts, "ja"),
    /（予定：日本時間2026年4月1日05:00:00）/,
  );
  assert.match(explain("waiting", "budget-reserve", facts, "en"), /\(expected at 2026-03-31 20:00:00 UTC\)/);
});

test("an envelope that is not completed is told with its state", () => {
  assert.match(explain("excluded", "not-completed", facts, "ja"), /DocuSignでの状態：voided/);
  assert.match(explain("excluded", "not-completed", facts, "en"), /status at DocuSign: voided/);
});

test("the facts of a decision can be explained as they are", () => {
  const start = new Date("2027-01-01T00:00:00Z");
  const about = sentFrom(accountB, { recipients: [recipient(u)] });
  const decision = judge(about, link({ receivedFrom: start }));

  assert.equal(decision.reason, "before-window");
  assert.match(
    explain("excluded", "before-window", decision.facts, "en"),
    /received: from 2027-01-01 00:00:00 UTC/,
  );
});

for (const { outcome, reason } of findings) {
  test(`${outcome}, ${reason} is a whole sentence in both languages, with and without facts`, () => {
    for (const known of [facts, {}]) {
      const [japanese, english] = [
        explain(outcome, reason, known, "ja"),
        explain(outcome, reason, known, "en"),
      ];

      assert.match(japanese, /^.*\p{Script=Hiragana}.*。$/u);
      assert.match(english, /^[A-Z][ -~]*\.$/);
      for (const text of [japanese, english]) {
        assert.doesNotMatch(text, /undefined|null|NaN|Invalid|\(\)|（）| {2}|、、|。。|\.\./);
      }
    }
  });
}

test("no two reasons are explained alike, in either language", () => {
  for (const texts of [JAPANESE, ENGLISH]) {
    const sentences = Object.values(texts).flatMap((byReason) =>
      Object.values(byReason).map((text: (known: FindingFacts) => string) => text({})),
    );

    assert.equal(new Set(sentences).size, sentences.length);
  }
});

test("stored words are read back only as an outcome with a reason of its own", () => {
  assert.deepEqual(parseFinding("excluded", "not-ours"), { outcome: "excluded", reason: "not-ours" });
  assert.equal(parseFinding("imported", "not-ours"), null);
  assert.equal(parseFinding("elsewhere", "not-ours"), null);
  assert.equal(parseFinding("toString", "call"), null);
  assert.equal(parseFinding("excluded", "toString"), null);
});
