import type { Group } from "../../../store/links/groups.ts";
import type { LinkDescription } from "../../../usecases/linking/describe-link.ts";
import { type Html, html } from "../../html/html.ts";
import { csrfField, type Visitor } from "../../html/layout.ts";
import { groupName } from "./link.ts";

/** Asks for confirmation and states what a deletion removes and keeps. */
export function deletionPage(visitor: Visitor, link: LinkDescription, groups: readonly Group[]): Html {
  return html`<h1>DocuSignとの連携の削除</h1>
<section class="card" aria-labelledby="sure">
<h2 id="sure">この連携を削除しますか？</h2>
<dl class="facts">
<div><dt>連携サービス</dt><dd>DocuSign</dd></div>
<div><dt>連携ユーザー</dt><dd>${link.user.name}</dd></div>
<div><dt>アカウント</dt><dd>${link.account.name}</dd></div>
<div><dt>取り込み先契約書グループ</dt><dd>${groupName(groups, link.groupId)}</dd></div>
</dl>
<ul>
<li>契約書の取り込みを停止し、DocuSignに登録した即時通知の設定を削除します。</li>
<li>取り込み済みの契約書と連携履歴は残ります。</li>
<li>同じユーザーでもう一度連携すると、削除した日時以後に締結された契約書を取り込みます。取り込み済みの契約書は重複しません。</li>
<li>別のユーザーで連携する場合も、ブラウザの再起動は必要ありません。連携のたびにDocuSignのログインを求めます。</li>
</ul>
${consentNote()}
<form method="post" action="/links/delete" data-busy="連携を削除しています。DocuSignの通知設定の削除に、1分ほどかかることがあります。">
${csrfField(visitor)}
<input type="hidden" name="link" value="${link.id}">
<p class="actions"><button class="danger solid">削除</button><a class="button" href="/links">キャンセル</a></p>
</form>
</section>`;
}

/** DocuSign's API cannot withdraw consent: only the user can (import-rules 5). */
export function consentNote(): Html {
  return html`<p class="note">DocuSignでの許可（アクセスの許可）は、DocuSignにログインし、[環境設定の管理]（My Preferences）の [接続済みアプリ]（Connected Apps）で、連携ユーザーご自身が取り消せます。</p>`;
}
