import type { Group } from "../../../store/links/groups.ts";
import type { ConnectSide, LinkState } from "../../../store/links/links.ts";
import type { LinkDescription } from "../../../usecases/linking/describe-link.ts";
import { type Html, html } from "../../html/html.ts";
import { type Icon, icon } from "../../html/icons.ts";
import { csrfField, type Visitor } from "../../html/layout.ts";
import { dateInWords, moment, momentOrDash, NOTHING } from "../words.ts";
import { editForm, repairForm } from "./forms.ts";

export type LinkCard = {
  readonly link: LinkDescription;
  readonly groups: readonly Group[];
  readonly visitor: Visitor;
  /** True while the owner is choosing another group. */
  readonly editing: boolean;
};

/** The link, its state, and the owner's actions. */
export function linkSection(card: LinkCard): Html {
  const { link, groups, visitor, editing } = card;
  return html`<section class="card" aria-labelledby="link">
<div class="heading">
<h2 id="link"><small>連携サービス</small> DocuSign</h2>
${stateBadge(link.state)}
${visitor.isOwner && linkActions(visitor, link)}
</div>
${link.state === "paused" && pauseNote()}
${link.cause !== null && errorNotice(card)}
${link.notice !== null && slowNotice(link.notice)}
${visitor.isOwner && editing && editForm(visitor, groups, link)}
${linkFacts(link, groups)}
${connectNote(link)}
</section>`;
}

/** The state in words, colour and shape. */
function stateBadge(state: LinkState): Html {
  const { words, picture } = STATES[state];
  return html`<span class="badge ${state}">${icon(picture)}<span class="hidden">状態：</span>${words}</span>`;
}

/** A group's name. If the cabinet has deleted the group, the text shows its id instead. */
export function groupName(groups: readonly Group[], id: string): string {
  return groups.find((group) => group.id === id)?.name ?? `削除された契約書グループ（${id}）`;
}

const STATES: Readonly<Record<LinkState, { words: string; picture: Icon }>> = {
  active: { words: "連携済み", picture: "check" },
  paused: { words: "一時停止中", picture: "pause" },
  "awaiting-approval": { words: "開始待ち", picture: "pause" },
  error: { words: "エラー", picture: "warning" },
  ended: { words: "終了", picture: "stop" },
};

function linkActions(visitor: Visitor, link: LinkDescription): Html {
  return html`<div class="actions">
<form method="get" action="/links#edit"><button name="edit" value="1">編集</button></form>
${link.state === "active" && changeForm(visitor, link, { action: "/links/pause", words: "一時停止" })}
${link.state === "paused" && changeForm(visitor, link, { action: "/links/resume", words: "再開" })}
<form method="get" action="/links/delete"><button class="danger">削除</button></form>
</div>`;
}

function changeForm(
  visitor: Visitor,
  { id }: LinkDescription,
  { action, words }: { action: string; words: string },
): Html {
  return html`<form method="post" action="${action}">
${csrfField(visitor)}
<input type="hidden" name="link" value="${id}">
<button>${words}</button>
</form>`;
}

function pauseNote(): Html {
  return html`<div class="message info">
${icon("pause")}
<p class="text">契約書の取り込みを一時停止しています。停止中に締結が完了した契約書は、再開後に取り込みます。</p>
</div>`;
}

/** A link without its group needs another group. Signing in at DocuSign repairs all other errors. */
function errorNotice({ link, groups, visitor, editing }: LinkCard): Html {
  const isEditing = editing && visitor.isOwner;
  const form = link.cause?.code === "group-missing" ? editForm : repairForm;
  return html`<div class="notice">
${icon("warning")}
<div>
<h3>連携のエラー</h3>
<p>${link.cause?.message}</p>
${visitor.isOwner ? !isEditing && form(visitor, groups, link) : html`<p>オーナー権限のユーザーにお知らせください。</p>`}
</div>
</div>`;
}

/** No action is needed: the link continues by itself. */
function slowNotice({ message, since }: NonNullable<LinkDescription["notice"]>): Html {
  return html`<div class="message info">
${icon("info")}
<div>
<p class="text">${message}</p>
<p class="hint">${moment(since)}から</p>
</div>
</div>`;
}

function linkFacts(link: LinkDescription, groups: readonly Group[]): Html {
  return html`<dl class="facts">
<div><dt>連携ユーザー</dt><dd>${link.user.name}${link.user.email !== null && html`<small>${link.user.email}</small>`}</dd></div>
<div><dt>アカウント</dt><dd>${link.account.name}<small class="id">${link.account.id}</small></dd></div>
<div><dt>取り込み先契約書グループ</dt><dd>${groupName(groups, link.groupId)}</dd></div>
<div><dt>連携日時</dt><dd>${moment(link.linkedAt)}</dd></div>
<div><dt>前回の照合</dt><dd>${momentOrDash(link.lastReconciliation)}</dd></div>
<div><dt>次回の照合</dt><dd>${momentOrDash(link.nextReconciliation)}</dd></div>
<div><dt>送信した契約書の取り込み対象期間</dt><dd>${since(link.sentFrom)}</dd></div>
<div><dt>受信した契約書の取り込み対象期間</dt><dd>${since(link.receivedFrom)}</dd></div>
<div><dt>送信した契約書の即時通知</dt><dd>${connectState(link.connect.sent, link.state)}</dd></div>
<div><dt>受信した契約書の即時通知</dt><dd>${connectState(link.connect.received, link.state)}</dd></div>
<div><dt>完了証明書</dt><dd>${link.certificates ? "取り込む" : "取り込まない"}</dd></div>
${link.from !== null && html`<div><dt>取り込みを始める日</dt><dd>${dateInWords(link.from)}</dd></div>`}
</dl>`;
}

function since(from: Date | null): Html {
  return from === null ? html`すべての期間` : html`${moment(from)} 以後に締結`;
}

const CONNECT_SIDES: Readonly<Record<ConnectSide, string>> = {
  active: "有効",
  pending: "準備中",
  "not-available": "このアカウントでは利用不可",
  "switched-off": "DocuSign側で停止中",
};
const CONNECT_STATES: ReadonlyMap<string, string> = new Map(Object.entries(CONNECT_SIDES));

/** While the link is in error, nobody can look at the configurations, and nothing is imported. */
function connectState(state: string | null, link: LinkState): Html {
  if (state === null) return NOTHING;
  if (link === "error") return html`<span class="inline-state">${icon("info")}エラーの解消後に再開</span>`;
  const words = CONNECT_STATES.get(state) ?? state;
  return html`<span class="inline-state">${icon(state === "active" ? "check" : "info")}${words}</span>`;
}

/** Events are optional (import-rules 5). The note explains what happens without them. */
function connectNote({ connect, state }: LinkDescription): Html | null {
  if (state === "error") return null;
  const states = [connect.sent, connect.received];
  if (states.every((state) => state === "active")) return null;
  const words = states.includes("active")
    ? "即時通知（DocuSign Connect）が有効でない契約書は、1時間ごとの照合で取り込みます。"
    : "即時通知（DocuSign Connect）が有効でないため、1時間ごとの照合だけで取り込みます。";
  return html`<p class="note">${words}取り込みの対象は変わりません。</p>`;
}
