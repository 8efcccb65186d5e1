import { Refusal } from "../../../domain/refusal.ts";
import type { LinkState } from "../../../store/links/links.ts";
import type { PageSettings } from "../../../usecases/capabilities.ts";
import type { LinkingResult } from "../../../usecases/linking/finish-linking.ts";
import { type Html, html } from "../../html/html.ts";
import { type Icon, icon } from "../../html/icons.ts";
import { withSupport } from "../words.ts";

/** Values of `/links?result=`: the outcome of a linking or of a form. */
export type ResultCode =
  | LinkingResult
  | "incomplete"
  | "invalid-start-date"
  | "paused"
  | "resumed"
  | "edited"
  | "settings-changed"
  | "approved"
  | "deleted"
  | "deletion-failed";

export type Message = {
  readonly tone: "good" | "info" | "bad";
  readonly text: string;
  /** The next step for the reader. */
  readonly hint: string | null;
};

/**
 * The message for a code in the address. Returns null for unknown codes, and for good news that contradicts the link's
 * state, since the address may be old.
 */
export function messageFor(code: unknown, state: LinkState | null): Message | null {
  if (!isResultCode(code)) return null;
  const message = code === "already-linked" && state === "error" ? NOT_THE_SAME_USER : MESSAGES[code];
  const fits = FITTING[code];
  return fits === undefined || fits.includes(state) ? message : null;
}

/** Renders the message, which screen readers announce, and its hint. */
export function messageSection({ tone, text, hint }: Message, settings: PageSettings): Html {
  return html`<div class="message ${tone}">
${icon(ICONS[tone])}
<div>
<p role="${tone === "bad" ? "alert" : "status"}" class="text">${text}</p>
${hint !== null && html`<p class="hint">${withSupport(hint, settings)}</p>`}
</div>
</div>`;
}

const ICONS: Readonly<Record<Message["tone"], Icon>> = { good: "check", info: "info", bad: "warning" };

/** The codes of good news, and the link states in which they are true. */
const FITTING: Partial<Record<ResultCode, readonly (LinkState | null)[]>> = {
  linked: ["active"],
  "awaiting-approval": ["awaiting-approval"],
  edited: ["active", "paused", "awaiting-approval", "error"],
  "settings-changed": ["active", "paused", "awaiting-approval", "error"],
  approved: ["active"],
  paused: ["paused"],
  resumed: ["active"],
  deleted: [null],
};

const AGAIN =
  "もう一度連携する場合は、取り込み先契約書グループと連携サービスを選択して [連携] をクリックしてください。";

const MESSAGES: Readonly<Record<ResultCode, Message>> = {
  linked: good(
    "DocuSignと連携しました。",
    "1時間以内に契約書の取り込みを始めます。その後は1時間ごとに取り込みます。",
  ),
  "awaiting-approval": {
    tone: "info",
    text: "DocuSignと連携しました。取り込みはまだ始まっていません。",
    hint: "契約書の件数が多いため、件数と所要時間を確認して [取り込みを開始] をクリックしてください。",
  },
  "not-admin": bad(
    textOf("not-admin"),
    "DocuSign側で当該ユーザーの権限を確認し、DS Admin権限へ変更してから、もう一度連携してください。",
  ),
  "group-not-found": bad(
    textOf("group-not-found"),
    "選択中に削除された可能性があります。取り込み先契約書グループを選択し直して [連携] をクリックしてください。",
  ),
  "link-not-found": bad(
    textOf("link-not-found"),
    "最新の状態を表示しています。解消しない場合は、サポート窓口へお問い合わせください。",
  ),
  "deletion-failed": bad(
    textOf("deletion-failed"),
    "DocuSignに接続できなかったか、DocuSign側の通知設定を削除できませんでした。連携は削除前のままです。時間を置いてから、もう一度お試しください。解消しない場合は、サポート窓口へお問い合わせください。",
  ),
  "already-linked": bad(
    "すでにDocuSignと連携しています。",
    "連携ユーザーやアカウントを変更するには、現在の連携を [削除] してから連携してください。",
  ),
  cancelled: {
    tone: "info",
    text: "DocuSignでの操作を中断しました。連携は変更されていません。",
    hint: AGAIN,
  },
  expired: {
    tone: "info",
    text: "連携の操作の有効期限が切れたか、すでに完了しています。",
    hint: "現在の状態を下に表示しています。連携できていない場合は、もう一度 [連携] をクリックしてください。",
  },
  failed: bad("DocuSignと連携できませんでした。", "時間を置いてから、もう一度お試しください。"),
  incomplete: bad("取り込み先契約書グループと連携サービスを選択してください。", null),
  "invalid-start-date": bad(
    "取り込みを始める日を確認してください。",
    "本日以前の日付を入力してください。連携後は、より前の日付にのみ変更できます。",
  ),
  "settings-changed": good("連携の設定を変更しました。", "これから取り込む契約書に適用します。"),
  edited: good(
    "取り込み先契約書グループを変更しました。",
    "これから取り込む契約書に適用します。取り込み済みの契約書は移動しません。",
  ),
  approved: good("初回の取り込みを開始しました。", "この画面を閉じても取り込みは続きます。"),
  paused: good(
    "契約書の取り込みを一時停止しました。",
    "[再開] をクリックするまで取り込みません。停止中に締結が完了した契約書は、再開後に取り込みます。",
  ),
  resumed: good("契約書の取り込みを再開しました。", "停止中に締結が完了した契約書も取り込みます。"),
  deleted: good(
    "DocuSignとの連携を削除しました。",
    "取り込み済みの契約書と連携履歴は残ります。別のユーザーで連携する場合も、ブラウザの再起動は必要ありません。",
  ),
};

/** A link in error can be repaired only by the user who created it. */
const NOT_THE_SAME_USER: Message = bad(
  "連携中のユーザーとは異なるユーザーまたはアカウントでログインしたため、エラーを解消できませんでした。",
  "連携中のユーザーで、もう一度連携してください。そのユーザーが退職や異動で連携できない場合は、現在の連携を [削除] してから、別のDS Adminのユーザーで連携してください。その間に締結された取り込み対象の契約書は、連携し直すと取り込みます。",
);

function isResultCode(code: unknown): code is ResultCode {
  return typeof code === "string" && Object.hasOwn(MESSAGES, code);
}

function good(text: string, hint: string): Message {
  return { tone: "good", text, hint };
}

function bad(text: string, hint: string | null): Message {
  return { tone: "bad", text, hint };
}

/** The four messages of import-rules 5 are defined once, in `Refusal`. */
function textOf(code: "not-admin" | "group-not-found" | "link-not-found" | "deletion-failed"): string {
  return new Refusal(code).message;
}
