import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, parseFinding } from "../../src/domain/explanation.ts";
import { statusInJapanese } from "../../src/domain/explanation-ja.ts";
import type { FindingFacts, Outcome, Reasons } from "../../src/domain/finding.ts";
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

/** Every reason by its outcome; a missing reason is a type error. */
const REASONS: { readonly [O in Outcome]: { readonly [R in Reasons[O]]: true } } = {
  imported: { sent: true, received: true, "sent-and-received": true, already: true },
  excluded: {
    "not-completed": true,
    "not-ours": true,
    "forwarded-to-user": true,
    "before-window": true,
    "documents-purged": true,
    "no-documents": true,
  },
  deleted: { "deleted-in-cabinet": true },
  waiting: {
    queued: true,
    "hourly-timing": true,
    "awaiting-approval": true,
    paused: true,
    "link-error": true,
    "link-ended": true,
    "group-missing": true,
    "account-throttled": true,
    "budget-reserve": true,
    "lookup-budget": true,
    "docusign-unavailable": true,
    "document-store-unavailable": true,
    "not-found-yet": true,
    "on-another-site": true,
    "document-not-pdf": true,
    "document-empty": true,
    "import-failed": true,
    "completion-unknown": true,
    "sender-unknown": true,
    "recipients-unknown": true,
    "documents-unknown": true,
  },
  unknown: { "never-seen": true, "not-found": true },
};

const words = Object.entries(REASONS).flatMap(([outcome, reasons]) =>
  Object.keys(reasons).map((reason) => ({ outcome, reason })),
);

test("times are shown in Japan Standard Time in Japanese and in UTC in English", () => {
  assert.equal(
    explain("imported", "sent", facts, "ja"),
    "連携アカウントのユーザーが送信し、日本時間2026年4月1日00:00:00に締結が完了した契約書のため、取り込みました。",
  );
  assert.equal(
    explain("imported", "sent", facts, "en"),
    "Imported: a user of the linked account sent it, and it was completed at 2026-03-31 15:00:00 UTC.",
  );
});

test("an envelope from before the window is explained with the start for its side", () => {
  assert.match(
    explain("excluded", "before-window", facts, "ja"),
    /日本時間2026年4月1日00:00:00.*送信した契約書は日本時間2026年4月1日01:00:00以後/,
  );
  assert.doesNotMatch(explain("excluded", "before-window", facts, "ja"), /受信した契約書は/);
  assert.match(
    explain("excluded", "before-window", facts, "ja"),
    /^締結完了日時（日本時間2026年4月1日00:00:00）が、/,
  );
  assert.equal(
    explain("excluded", "before-window", { ...facts, sentByAccount: false, receivedByUser: true }, "en"),
    "Not imported: it was completed (2026-03-31 15:00:00 UTC) before this link's imports begin (received: from 2026-04-30 15:00:00 UTC).",
  );
});

test("an envelope that waits for a known time is explained with that time", () => {
  assert.match(
    explain("waiting", "account-throttled", facts, "ja"),
    /（予定：日本時間2026年4月1日05:00:00）/,
  );
  assert.match(explain("waiting", "budget-reserve", facts, "en"), /\(expected at 2026-03-31 20:00:00 UTC\)/);
});

test("an envelope that is not completed is explained with its status", () => {
  assert.match(
    explain("excluded", "not-completed", facts, "ja"),
    /取り込み対象外です（DocuSignでの状態：無効）/,
  );
  assert.match(explain("excluded", "not-completed", facts, "en"), /status at DocuSign: voided/);
});

const statuses = [
  { status: "sent", ja: "送信済み（締結前）", isUnderWay: true },
  { status: "delivered", ja: "閲覧済み（締結前）", isUnderWay: true },
  { status: "signed", ja: "署名済み（締結前）", isUnderWay: true },
  { status: "created", ja: "下書き（締結前）", isUnderWay: true },
  { status: "processing", ja: "処理中（締結前）", isUnderWay: true },
  { status: "Completed", ja: "締結完了", isUnderWay: false },
  { status: "voided", ja: "無効", isUnderWay: false },
  { status: "declined", ja: "拒否", isUnderWay: false },
  { status: "deleted", ja: "削除", isUnderWay: false },
  { status: "timedOut", ja: "timedOut", isUnderWay: false },
];

for (const { status, ja, isUnderWay } of statuses) {
  test(`the status ${status} is ${ja} in Japanese`, () => {
    const text = explain("excluded", "not-completed", { ...facts, status }, "ja");

    assert.equal(statusInJapanese(status), ja);
    if (isUnderWay) assert.equal(text, `${ja}。締結完了後に判定します。`);
    else assert.ok(text.includes(`（DocuSignでの状態：${ja}）`), text);
  });
}

test("the facts of a decision can be used for its explanation", () => {
  const start = new Date("2027-01-01T00:00:00Z");
  const about = sentFrom(accountB, { recipients: [recipient(u)] });
  const decision = judge(about, link({ receivedFrom: start }));

  assert.equal(decision.reason, "before-window");
  assert.match(
    explain("excluded", "before-window", decision.facts, "en"),
    /received: from 2027-01-01 00:00:00 UTC/,
  );
});

for (const { outcome, reason } of words) {
  test(`${outcome}, ${reason} is a full sentence in both languages, with and without facts`, () => {
    const finding = parseFinding(outcome, reason) ?? assert.fail("the finding is unknown");
    for (const known of [facts, {}]) {
      const [japanese, english] = [
        explain(finding.outcome, finding.reason, known, "ja"),
        explain(finding.outcome, finding.reason, known, "en"),
      ];

      assert.match(japanese, /^.*\p{Script=Hiragana}.*。$/u);
      assert.match(english, /^[A-Z][ -~]*\.$/);
      for (const text of [japanese, english]) {
        assert.doesNotMatch(text, /undefined|null|NaN|Invalid|\(\)|（）| {2}|、、|。。|\.\./);
      }
    }
  });
}

const STARTS = "連携で取り込みを始める日時";
const windows: { told: string; facts: Partial<FindingFacts>; ja: string; en: string }[] = [
  {
    told: "sent only",
    facts: {},
    ja: "（送信した契約書は日本時間2026年4月1日01:00:00以後）",
    en: " (sent: from 2026-03-31 16:00:00 UTC)",
  },
  {
    told: "received only",
    facts: { sentByAccount: false, receivedByUser: true },
    ja: "（受信した契約書は日本時間2026年5月1日00:00:00以後）",
    en: " (received: from 2026-04-30 15:00:00 UTC)",
  },
  {
    told: "sent and received",
    facts: { receivedByUser: true },
    ja: "（送信した契約書は日本時間2026年4月1日01:00:00以後、受信した契約書は日本時間2026年5月1日00:00:00以後）",
    en: " (sent: from 2026-03-31 16:00:00 UTC, received: from 2026-04-30 15:00:00 UTC)",
  },
  {
    told: "unknown as sent or received",
    facts: { sentByAccount: null, receivedByUser: null },
    ja: "（送信した契約書は日本時間2026年4月1日01:00:00以後、受信した契約書は日本時間2026年5月1日00:00:00以後）",
    en: " (sent: from 2026-03-31 16:00:00 UTC, received: from 2026-04-30 15:00:00 UTC)",
  },
  {
    told: "by a link that imports all history",
    facts: { sentFrom: null, receivedFrom: null },
    ja: "",
    en: "",
  },
  {
    told: "both ways, one of them from the beginning",
    facts: { receivedByUser: true, sentFrom: null },
    ja: "（受信した契約書は日本時間2026年5月1日00:00:00以後）",
    en: " (received: from 2026-04-30 15:00:00 UTC)",
  },
  { told: "neither sent nor received", facts: { sentByAccount: false }, ja: "", en: "" },
];

for (const { told, facts: changed, ja, en } of windows) {
  test(`an early envelope, ${told}, is explained with the starts that may apply to it`, () => {
    const known = { ...facts, ...changed };

    const japanese = explain("excluded", "before-window", known, "ja");
    const english = explain("excluded", "before-window", known, "en");

    assert.equal(
      japanese.slice(japanese.indexOf(STARTS) + STARTS.length),
      `${ja}より前のため、取り込み対象外です。`,
    );
    assert.equal(english.slice(english.indexOf("begin") + "begin".length), `${en}.`);
  });
}

test("unknown facts are omitted from the sentence", () => {
  assert.equal(
    explain("imported", "received", {}, "en"),
    "Imported: the linked user received it, and it was completed.",
  );
  assert.equal(
    explain("imported", "received", {}, "ja"),
    "連携ユーザーが受信し、締結が完了した契約書のため、取り込みました。",
  );
  assert.equal(
    explain("excluded", "before-window", {}, "en"),
    "Not imported: it was completed before this link's imports begin.",
  );
  assert.equal(
    explain("excluded", "before-window", {}, "ja"),
    "締結完了日時が、この連携で取り込みを始める日時より前のため、取り込み対象外です。",
  );
  assert.equal(explain("waiting", "queued", {}, "en"), "Waiting for its turn to be imported.");
  assert.equal(
    explain("waiting", "queued", {}, "ja"),
    "取り込みの順番を待っています。しばらくお待ちください。",
  );
});

test("stored words are accepted only as an outcome with one of its own reasons", () => {
  assert.deepEqual(parseFinding("excluded", "not-ours"), { outcome: "excluded", reason: "not-ours" });
  assert.equal(parseFinding("imported", "not-ours"), null);
  assert.equal(parseFinding("elsewhere", "not-ours"), null);
  assert.equal(parseFinding("toString", "call"), null);
  assert.equal(parseFinding("excluded", "toString"), null);
});
