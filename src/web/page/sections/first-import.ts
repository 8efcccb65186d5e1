import { inJapan } from "../../../domain/japan-time.ts";
import type { LinkDescription } from "../../../usecases/linking/describe-link.ts";
import type { FirstImportProgress } from "../../../usecases/linking/first-import-progress.ts";
import { type Html, html } from "../../html/html.ts";
import { icon } from "../../html/icons.ts";
import { csrfField, type Visitor } from "../../html/layout.ts";
import type { LinkView } from "../view.ts";
import { amount, duration, inDigits, moment } from "../words.ts";
import { startField } from "./forms.ts";
import { totalsSection } from "./totals.ts";

/** Size and duration of a large first import, and the owner's button that starts it (import-rules 3). */
export function approvalSection(visitor: Visitor, { link, now }: LinkView): Html | null {
  const { firstImport } = link;
  if (link.state !== "awaiting-approval" || firstImport === null) return null;
  return html`<section class="card notable" aria-labelledby="approval">
<h2 id="approval">初回の取り込みの確認</h2>
<p>DocuSignに、締結が完了したエンベロープが多くあります。件数と所要時間を確認して、取り込みを開始してください。開始するまでは取り込みません。</p>
<dl class="figures">
<div><dt>DocuSignで締結が完了したエンベロープ</dt><dd>${size(link, firstImport)}</dd></div>
${firstImport.estimatedEnd !== null && expectation(firstImport.estimatedEnd, now)}
</dl>
<p class="note">DocuSignをご利用のほかのシステムに影響しないように、DocuSignのAPI利用上限に余裕を残しながら取り込みます。お客様の操作は必要ありません。</p>
${visitor.isOwner ? approvalForm(visitor, link, now) : html`<p>オーナー権限のユーザーが開始できます。</p>`}
</section>`;
}

/**
 * The live part of the page: the first import's progress and the totals. The page's script refreshes it while
 * `data-poll` gives an interval, in milliseconds.
 */
export function livePart(view: LinkView): Html {
  const { link } = view;
  const moves = isImportingFirst(link);
  return html`<div id="live"${moves && html` data-poll="${pollEvery(link)}"`}>
${moves && progressSection(view)}
${totalsSection(view)}
</div>`;
}

const POLL_MS = 3_000;
const LARGE = 10_000;

/** Large imports take hours and counting them is expensive, so they are polled less often. */
function pollEvery({ totals }: LinkDescription): number {
  return totals.atDocuSign < LARGE ? POLL_MS : POLL_MS * 5;
}

function isImportingFirst(link: LinkDescription): boolean {
  const { state, firstImport } = link;
  if (state !== "active" || firstImport === null) return false;
  return firstImport.total === null || firstImport.estimatedEnd !== null;
}

/** While DocuSign could not count, the envelopes listed so far are the least. */
function size({ totals }: LinkDescription, { total }: FirstImportProgress): Html {
  return total === null ? html`${amount(totals.atDocuSign, "件")}以上` : amount(total, "件");
}

function expectation(end: Date, now: Date): Html {
  return html`<div><dt>所要時間の目安</dt><dd>${duration(end.getTime() - now.getTime())}</dd></div>
<div><dt>いま開始した場合の完了予定</dt><dd>${moment(end)}ごろ</dd></div>`;
}

function approvalForm(visitor: Visitor, link: LinkDescription, now: Date): Html {
  return html`<form method="post" action="/links/approve">
${csrfField(visitor)}
<input type="hidden" name="link" value="${link.id}">
<details class="options">
<summary>詳細設定</summary>
${startField(inJapan(now).date, link.from)}
</details>
<p class="actions"><button class="primary">取り込みを開始</button></p>
</form>`;
}

function progressSection({ link, now }: LinkView): Html {
  const { firstImport } = link;
  return html`<section class="card" aria-labelledby="progress">
<h2 id="progress">初回の取り込み</h2>
${firstImport !== null && progressBar(firstImport, now)}
<p class="note" data-reload>この画面を閉じても取り込みは続きます。<a href="/links">最新の状態に更新</a></p>
</section>`;
}

function progressBar({ done, total, estimatedEnd }: FirstImportProgress, now: Date): Html {
  const left = estimatedEnd === null ? null : estimatedEnd.getTime() - now.getTime();
  if (total === null)
    return html`<p>${icon("pause")} DocuSignのエンベロープの件数を確認しています。確認が終わるまで取り込みません。</p>`;
  if (total === 0) return html`<p>${icon("pause")} まもなく取り込みを開始します。</p>`;
  return html`<progress max="${total}" value="${done}" aria-labelledby="progress"></progress>
<p class="progress-words"><span>${amount(total, "件")}中${amount(done, "件")}（${inDigits(Math.floor((done / total) * 100))}%）の処理が完了しました。</span>
${left !== null && estimatedEnd !== null && html`<span>残り時間の目安：${duration(left)}（${moment(estimatedEnd)}ごろ）</span>`}</p>`;
}
