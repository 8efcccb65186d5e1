import { inJapan } from "../../../domain/japan-time.ts";
import type { Group } from "../../../store/links/groups.ts";
import type { LinkDescription } from "../../../usecases/linking/describe-link.ts";
import { type Html, html } from "../../html/html.ts";
import { icon } from "../../html/icons.ts";
import { csrfField, type Visitor } from "../../html/layout.ts";

/** The form for a first linking (group, service, [連携]) and the steps that follow. */
export function linkingSection(visitor: Visitor, groups: readonly Group[], now: Date): Html {
  return html`<section class="card" aria-labelledby="linking">
<h2 id="linking">DocuSign連携の設定</h2>
<p>連携すると、DocuSignで締結が完了した契約書を、自動でキャビネに取り込みます。</p>
${groups.length === 0 ? noGroups() : linkingForm(visitor, groups, now)}
<h3>連携の前に</h3>
<ul>
<li>DocuSignの高度なソリューションプランと、DS Admin権限のユーザーをご用意ください。</li>
<li>連携されるのは、そのユーザーのデフォルトアカウントです。</li>
<li>退職や異動の影響を受けないように、特定の個人ではなく、管理者共用のユーザーでの連携をおすすめします。</li>
</ul>
<h3>連携の流れ</h3>
<ol>
<li>[連携] をクリックすると、DocuSignのログインページに移動します。連携のたびにログインを求めるため、ブラウザの再起動は必要ありません。</li>
<li>連携するユーザーでログインし、[アクセスの許可] をクリックします。</li>
<li>この画面に戻り、連携の状態が表示されます。1時間以内に取り込みが始まります。</li>
</ol>
<p class="note">途中でやめるときは、ブラウザの戻る操作でこの画面に戻るか、この画面を開き直してください。連携は変更されません。</p>
</section>`;
}

/** Shown to members while there is no link. */
export function noLinkSection(): Html {
  return html`<section class="card" aria-labelledby="linking">
<h2 id="linking">DocuSign連携の設定</h2>
<p>DocuSignとは連携していません。連携の設定は、オーナー権限のユーザーが行えます。</p>
</section>`;
}

/** [連携] again: linking with the same user repairs a link in error. */
export function repairForm(visitor: Visitor, groups: readonly Group[], link: LinkDescription): Html {
  if (groups.length === 0) return noGroups();
  return html`<form method="post" action="/links" class="fields">
${csrfField(visitor)}
<input type="hidden" name="service" value="docusign">
${groupField(groups, link.groupId)}
<p class="actions"><button class="primary">連携</button></p>
</form>`;
}

/** Changes the group and the options for future imports. */
export function editForm(visitor: Visitor, groups: readonly Group[], link: LinkDescription): Html {
  if (groups.length === 0) return noGroups();
  return html`<form method="post" action="/links/edit" class="fields" id="edit">
<h3>取り込み先の変更</h3>
${csrfField(visitor)}
<input type="hidden" name="link" value="${link.id}">
${groupField(groups, link.groupId)}
<details class="options">
<summary>詳細設定</summary>
<input type="hidden" name="options" value="shown">
${link.from !== null && startField(link.from, link.from)}
${certificatesField(link.certificates)}
</details>
<p class="note">これから取り込む契約書に適用します。取り込み済みの契約書は移動しません。</p>
<p class="actions"><button class="primary">連携</button><a class="button" href="/links">キャンセル</a></p>
</form>`;
}

/** A date in Japan, which is optional and at most `latest`. */
export function startField(latest: string, chosen: string | null): Html {
  return html`<p class="field">
<label for="from">取り込みを始める日</label>
<input type="date" id="from" name="from" max="${latest}"${chosen !== null && html` value="${chosen}"`} aria-describedby="from-hint">
<span class="hint" id="from-hint">この日（日本時間）以後に締結が完了した契約書を取り込みます。指定しない場合は、取り込み対象の契約書をすべて取り込みます。</span>
</p>`;
}

function linkingForm(visitor: Visitor, groups: readonly Group[], now: Date): Html {
  return html`<form method="post" action="/links" class="fields">
${csrfField(visitor)}
${groupField(groups, null)}
<p class="field">
<label for="service">連携サービス</label>
<select id="service" name="service" required>
<option value="">選択してください</option>
<option value="docusign">DocuSign</option>
</select>
</p>
<details class="options">
<summary>詳細設定</summary>
${startField(inJapan(now).date, null)}
${certificatesField(false)}
</details>
<p class="actions"><button class="primary">連携</button></p>
</form>`;
}

function certificatesField(isChosen: boolean): Html {
  return html`<p class="field choice">
<label><input type="checkbox" name="certificates" value="yes"${isChosen && html` checked`}> 完了証明書も取り込む</label>
<span class="hint">DocuSignの完了証明書（Certificate of Completion）を、契約書とあわせて保存します。エンベロープごとにAPIの呼び出しが1回増えます。</span>
</p>`;
}

function groupField(groups: readonly Group[], chosen: string | null): Html {
  const options = groups.map(
    ({ id, name }) => html`<option value="${id}"${id === chosen && html` selected`}>${name}</option>\n`,
  );
  return html`<p class="field">
<label for="group">取り込み先契約書グループ</label>
<select id="group" name="group" required>
<option value="">選択してください</option>
${options}</select>
</p>`;
}

function noGroups(): Html {
  return html`<div class="message info">${icon("info")}<p class="text">契約書グループがありません。キャビネで契約書グループを作成してから、この画面を開き直してください。</p></div>`;
}
