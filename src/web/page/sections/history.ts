import type { Group } from "../../../store/links/groups.ts";
import type { LinkDescription } from "../../../usecases/linking/describe-link.ts";
import { type Html, html } from "../../html/html.ts";
import { amount, moment, momentOrDash } from "../words.ts";
import { groupName } from "./link.ts";

/** Ended links. They are kept forever, since they decide where the next link's import starts (import-rules 2). */
export function historySection(history: readonly LinkDescription[], groups: readonly Group[]): Html | null {
  if (history.length === 0) return null;
  return html`<section class="card" aria-labelledby="history">
<h2 id="history">連携履歴</h2>
<ul class="history">
${history.map((link) => entry(link, groups))}</ul>
</section>`;
}

function entry(link: LinkDescription, groups: readonly Group[]): Html {
  const { totals } = link;
  return html`<li>
<p class="period">${moment(link.linkedAt)} ～ ${momentOrDash(link.endedAt)}</p>
<p>${link.user.name}（${link.account.name}）<small>取り込み先：${groupName(groups, link.groupId)}</small></p>
<p class="counts"><span>取り込み済み ${amount(totals.imported, "件")}</span> <span>対象外 ${amount(totals.excluded, "件")}</span> <span>削除 ${amount(totals.deleted, "件")}</span> <span>取り込み待ち ${amount(totals.waiting, "件")}</span></p>
</li>\n`;
}
