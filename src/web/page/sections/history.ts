import type { AuditTrail } from "../../../store/links/audit.ts";
import type { Group } from "../../../store/links/groups.ts";
import { type Html, html } from "../../html/html.ts";
import type { PastLink } from "../view.ts";
import { amount, moment, momentOrDash } from "../words.ts";
import { groupName } from "./link.ts";

/**
 * All links, and who did what to them. Ended links are kept forever, since they decide where the next link's import starts
 * (import-rules 2).
 */
export function historySection(history: readonly PastLink[], groups: readonly Group[]): Html | null {
  if (history.length === 0) return null;
  return html`<section class="card" aria-labelledby="history">
<h2 id="history">連携履歴</h2>
<ul class="history">
${history.map((link) => entry(link, groups))}</ul>
</section>`;
}

function entry(link: PastLink, groups: readonly Group[]): Html {
  const { totals, endedAt } = link;
  return html`<li>
<p class="period">${moment(link.linkedAt)} ～ ${endedAt === null ? "現在" : momentOrDash(endedAt)}</p>
<p>${link.user.name}（${link.account.name}）<small>取り込み先：${groupName(groups, link.groupId)}</small></p>
${endedAt !== null && html`<p class="counts"><span>取り込み済み ${amount(totals.imported, "件")}</span> <span>対象外 ${amount(totals.excluded, "件")}</span> <span>削除 ${amount(totals.deleted, "件")}</span> <span>取り込み待ち ${amount(totals.waiting, "件")}</span></p>`}
${link.audit.length > 0 && html`<ul class="audit">${link.audit.map(auditLine)}</ul>`}
</li>\n`;
}

const ACTIONS: ReadonlyMap<string, string> = new Map([
  ["linked", "連携"],
  ["repaired", "再連携（エラーの解消）"],
  ["edited", "編集"],
  ["approved", "取り込みの開始"],
  ["paused", "一時停止"],
  ["resumed", "再開"],
  ["ended", "削除"],
]);

/** Someone who acted through the cabinet's API is known by id only. */
function auditLine({ at, subject, name, action }: AuditTrail[number]): Html {
  return html`<li>${moment(at)} <b>${ACTIONS.get(action) ?? action}</b> ${name ?? subject}</li>`;
}
