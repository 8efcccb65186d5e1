import type { Reasons } from "../../domain/finding.ts";
import { inJapan } from "../../domain/japan-time.ts";
import type { PageSettings } from "../../usecases/capabilities.ts";
import { type Html, html } from "../html/html.ts";

const NUMBER = new Intl.NumberFormat("ja-JP");
const MINUTE_MS = 60_000;

/** `12,345`. */
export function inDigits(number: number): string {
  return NUMBER.format(number);
}

/** A number and its unit, without a line break between them: `12,345件`. */
export function amount(number: number, unit: string): Html {
  return html`<span class="amount"><b>${inDigits(number)}</b>${unit}</span>`;
}

/** A moment in Japan time, to the minute: `2031年1月15日 12:10`. */
export function moment(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${inWords(at)}</time>`;
}

/** As `moment`, or a dash for null. */
export function momentOrDash(at: Date | null): Html {
  return at === null ? NOTHING : moment(at);
}

/** Shown if a value does not apply. */
export const NOTHING = html`<span aria-label="なし">―</span>`;

/** A moment in Japan time without its year, for recent runs: `1/15 12:00`. */
export function shortMoment(at: Date): Html {
  const { date, time } = inJapan(at);
  const [, month, day] = date.split("-").map(Number);
  return html`<time datetime="${at.toISOString()}">${`${month}/${day} ${time.slice(0, 5)}`}</time>`;
}

/** An approximate duration: `約3時間20分`. */
export function duration(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 1) return "1分未満";
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  if (days > 0) return `約${days}日${hours > 0 ? `${hours}時間` : ""}`;
  return `約${hours > 0 ? `${hours}時間` : ""}${rest > 0 ? `${rest}分` : ""}`;
}

/** A short duration to the second: `8.3秒`, `2分5秒`. */
export function shortDuration(ms: number): string {
  if (ms < 1_000) return "1秒未満";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}秒`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}秒` : `${Math.floor(seconds / 60)}分${seconds % 60}秒`;
}

/** A text in which サポート窓口 is a link, if the installation has an address for it. */
export function withSupport(text: string, { supportUrl }: PageSettings): Html {
  if (supportUrl === null) return html`${text}`;
  const [before = "", ...rest] = text.split(SUPPORT);
  return html`${before}${rest.map((after) => html`<a href="${supportUrl}">${SUPPORT}</a>${after}`)}`;
}

const SUPPORT = "サポート窓口";

/** The label of an exclusion rule. Unknown codes, which a later version may write, are shown as they are. */
export function exclusionLabel(rule: string): string {
  return EXCLUSIONS.get(rule) ?? rule;
}

/** The label of an import's reason. Unknown codes, which a later version may write, are shown as they are. */
export function importLabel(reason: string): string {
  return IMPORTS.get(reason) ?? reason;
}

/** The label of a waiting reason. Unknown codes, which a later version may write, are shown as they are. */
export function waitingLabel(reason: string): string {
  return WAITS.get(reason) ?? reason;
}

const IMPORTED: Readonly<Record<Reasons["imported"], string>> = {
  sent: "連携アカウントのユーザーが送信した",
  received: "連携ユーザーが受信した",
  "sent-and-received": "連携アカウントのユーザーが送信し、連携ユーザーが受信した",
  already: "以前の連携で取り込み済み",
};
const EXCLUDED: Readonly<Record<Reasons["excluded"], string>> = {
  "not-completed": "締結が完了していない",
  "not-ours": "連携ユーザー以外が受信した",
  "forwarded-to-user": "転送で受信した（転送前の宛先ではない）",
  "before-window": "取り込みを始める日時より前に締結された",
  "documents-purged": "DocuSignで文書が消去された",
  "no-documents": "文書が含まれていない",
};
const WAITING: Readonly<Record<Reasons["waiting"], string>> = {
  queued: "取り込みの順番待ち",
  "hourly-timing": "次回（毎時0分）の取り込み待ち",
  "awaiting-approval": "取り込みの開始待ち",
  paused: "連携の一時停止",
  "link-error": "連携のエラーの解消待ち",
  "link-ended": "連携の終了",
  "group-missing": "取り込み先契約書グループの選択待ち",
  "account-throttled": "DocuSignのAPI利用上限",
  "budget-reserve": "ほかのシステムへの影響を避けるための待機",
  "lookup-budget": "DocuSignへの照会の上限",
  "docusign-unavailable": "DocuSignから取得できない",
  "document-store-unavailable": "文書の保存先の復旧待ち",
  "not-found-yet": "DocuSignでまだ見つからない",
  "on-another-site": "文書がDocuSignの別のサイトにある",
  "document-not-pdf": "取得した文書がPDFではない",
  "document-empty": "取得した文書が空",
  "import-failed": "取り込みの失敗（自動で再試行）",
  "completion-unknown": "締結完了日時の確認待ち",
  "sender-unknown": "送信者の確認待ち",
  "recipients-unknown": "受信者の確認待ち",
  "documents-unknown": "文書の一覧の確認待ち",
};
const IMPORTS: ReadonlyMap<string, string> = new Map(Object.entries(IMPORTED));
const EXCLUSIONS: ReadonlyMap<string, string> = new Map(Object.entries(EXCLUDED));
const WAITS: ReadonlyMap<string, string> = new Map(Object.entries(WAITING));

function inWords(at: Date): string {
  const { date, time } = inJapan(at);
  return `${dateInWords(date)} ${time.slice(0, 5)}`;
}

/** A date `YYYY-MM-DD` in words: `2031年1月15日`. */
export function dateInWords(date: string): string {
  const [year, month, day] = date.split("-").map(Number);
  return `${year}年${month}月${day}日`;
}
