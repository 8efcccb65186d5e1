import type { Totals } from "../../../store/ledger/counts.ts";
import { type Html, html } from "../../html/html.ts";
import type { LinkView } from "../view.ts";
import { amount, exclusionLabel, waitingLabel } from "../words.ts";

/**
 * Figures that add up, and so explain why DocuSign's and the cabinet's counts differ (import-rules 6). Null before the
 * first import has counted anything.
 */
export function totalsSection({ link, files, waiting }: LinkView): Html | null {
  const { totals, excludedByRule, firstImport } = link;
  const isCounting =
    firstImport !== null && (firstImport.estimatedEnd !== null || firstImport.total === null);
  if (isCounting && totals.atDocuSign === 0) return null;
  return html`<section class="card" aria-labelledby="totals">
<h2 id="totals">件数の内訳</h2>
<p class="equation"><span>DocuSignで締結が完了したエンベロープ</span> ${amount(totals.atDocuSign, "件")}</p>
${isCounting && html`<p class="note">初回の取り込みが終わるまで、件数は増えます。</p>`}
${shareBar(totals)}
<ul class="shares">
${share("imported", "取り込み済み", totals.imported, fileWords(files))}
${share("excluded", "取り込み対象外", totals.excluded, reasonList(excludedByRule ?? {}, exclusionLabel))}
${share("deleted", "キャビネで削除", totals.deleted, null)}
${share("waiting", "取り込み待ち", totals.waiting, reasonList(waiting, waitingLabel))}
</ul>
<p class="note">DocuSignではエンベロープ1つを1件、キャビネではファイル1つを1件と数えます。1つのエンベロープに複数のファイルがあると、キャビネの件数のほうが多くなります。取り込み対象外や削除した契約書があると、キャビネの件数のほうが少なくなります。</p>
</section>`;
}

const PARTS = ["imported", "excluded", "deleted", "waiting"] as const;

/** The four parts side by side. Hidden from screen readers, since the list below gives the same figures. */
function shareBar(totals: Totals): Html | null {
  if (totals.atDocuSign === 0) return null;
  const width = (part: (typeof PARTS)[number]): number => (totals[part] / totals.atDocuSign) * 100;
  const bars = PARTS.map((part, index) => {
    const x = PARTS.slice(0, index).reduce((sum, earlier) => sum + width(earlier), 0);
    return html`<rect class="${part}" x="${x.toFixed(3)}" y="0" width="${width(part).toFixed(3)}" height="10"/>`;
  });
  return html`<svg class="share-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">${bars}</svg>`;
}

function share(part: (typeof PARTS)[number], words: string, count: number, more: Html | null): Html {
  const name = count === 0 ? html`${words}` : html`<a href="/links/envelopes?outcome=${part}">${words}</a>`;
  return html`<li class="${part}"><span class="swatch" aria-hidden="true"></span><span class="words">${name}</span> ${amount(count, "件")}
${count > 0 && more}</li>\n`;
}

/** After a re-linking, the cabinet also holds what earlier links imported. */
function fileWords({ kept, deleted, ofTenant }: LinkView["files"]): Html {
  const earlier = ofTenant - kept;
  return html`<p class="more">キャビネのファイル ${amount(kept, "件")}${deleted > 0 && html`（ほかに削除済み ${amount(deleted, "件")}）`}</p>
${earlier > 0 && html`<p class="more">以前の連携のファイル ${amount(earlier, "件")}、DocuSignから取り込んだファイルの合計 ${amount(ofTenant, "件")}</p>`}`;
}

function reasonList(counts: Readonly<Record<string, number>>, label: (code: string) => string): Html | null {
  const rows = Object.entries(counts).filter(([, count]) => count > 0);
  if (rows.length === 0) return null;
  return html`<ul class="more">${rows.map(([code, count]) => html`<li>${label(code)} ${amount(count, "件")}</li>`)}</ul>`;
}
