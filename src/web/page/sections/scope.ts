import { type Html, html } from "../../html/html.ts";

/** Which contracts are imported, by who sent and who received them (the help page's table). */
export function scopeSection(): Html {
  const heads = HEADS.map((head) => html`<th role="columnheader" scope="col">${head}</th>`);
  return html`<section class="card" aria-labelledby="scope">
<h2 id="scope">取り込み対象</h2>
<p>締結が完了した契約書のうち、次のものを取り込みます。</p>
<ul>
<li>連携ユーザーが送信または受信した契約書</li>
<li>連携ユーザーと同じアカウント（テナント）のユーザーが送信した契約書</li>
</ul>
<table class="scope" role="table" aria-labelledby="scope">
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">
${ROWS.map(row)}</tbody>
</table>
<p class="note">連携ユーザーと同じアカウント（テナント）のユーザー（連携ユーザーを除く）が受信した契約書は、取り込み対象外です。キャビネで削除した契約書は、再び取り込みません。</p>
</section>`;
}

const HEADS = ["ユーザーの権限", "送信した契約書", "受信した契約書"] as const;
const [YES, NO, NEVER] = ["◯ 取り込み対象", "× 取り込み対象外", "― 送信不可"] as const;

const ROWS: readonly (readonly [person: string, sent: string, received: string])[] = [
  ["DS Admin権限（連携ユーザー）", YES, YES],
  ["DS Admin権限（連携ユーザー以外）", YES, NO],
  ["DS Sender権限", YES, NO],
  ["DS Viewer権限", NEVER, NO],
  ["カスタマイズ権限", YES, NO],
];

function row([person, sent, received]: (typeof ROWS)[number]): Html {
  return html`<tr role="row"><th role="rowheader" scope="row">${person}</th><td role="cell" data-head="${HEADS[1]}">${sent}</td><td role="cell" data-head="${HEADS[2]}">${received}</td></tr>\n`;
}
