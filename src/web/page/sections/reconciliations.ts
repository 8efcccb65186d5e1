import type { Reconciliation, ReconciliationKind } from "../../../store/ledger/reconciliations.ts";
import type { LinkState } from "../../../store/links/links.ts";
import { type Html, html } from "../../html/html.ts";
import { icon } from "../../html/icons.ts";
import type { Run } from "../view.ts";
import { inDigits, shortDuration, shortMoment } from "../words.ts";

/** The latest runs, newest first: what was imported since each, and what no event had announced. */
export function reconciliationsSection(runs: readonly Run[], state: LinkState): Html {
  return html`<section class="card" aria-labelledby="runs">
<h2 id="runs">照合の履歴</h2>
<p>1時間ごと（例：0:00、1:00）に、DocuSignで締結が完了したエンベロープと照合し、即時通知で届かなかったものを取り込みます。</p>
${runs.length === 0 ? html`<p class="note">照合はまだ行われていません。</p>` : [charts(runs), table(runs.slice(0, MOST_ROWS), state)]}
</section>`;
}

/** The charts show a day, the table half of it. */
const MOST_ROWS = 12;
const SLOT = 10;
const GAP = 2;
const HEIGHT = 100;
/** Minimum height of a bar that is not zero, so that it stays visible. */
const LEAST = 6;
/** Bars keep the width for 24 runs even if there are fewer. */
const SLOTS = 24;

function charts(runs: readonly Run[]): Html | null {
  const inOrder = runs.filter(({ kind }) => kind !== "first").toReversed();
  if (inOrder.length < 2) return null;
  return html`<div class="charts">
${chart("取り込んだ契約書", "imported", inOrder)}
${chart("通知が届かず、照合で見つけたエンベロープ", "missed", inOrder)}
</div>`;
}

function chart(words: string, key: "imported" | "missed", runs: readonly Run[]): Html {
  const most = Math.max(...runs.map((run) => run[key]));
  const sum = runs.reduce((total, run) => total + run[key], 0);
  const width = Math.max(runs.length, SLOTS) * SLOT;
  const label = `${words}：直近${runs.length}回の合計${inDigits(sum)}件、最多${inDigits(most)}件`;
  const bars = runs.map((run, index) => bar(run, { key, most, x: width - (runs.length - index) * SLOT }));
  return html`<figure>
<figcaption>${words}<span>最多 ${inDigits(most)}件</span></figcaption>
<svg class="chart ${key}" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}" focusable="false">${bars}</svg>
${axis(runs)}
</figure>`;
}

function axis(runs: readonly Run[]): Html {
  const ends = [runs[0], runs.at(-1)].map(
    (run) => run !== undefined && html`<span>${shortMoment(run.to)}</span>`,
  );
  return html`<p class="axis">${ends}</p>`;
}

function bar(run: Run, { key, most, x }: { key: "imported" | "missed"; most: number; x: number }): Html {
  const count = run[key];
  const height = count === 0 ? 0 : Math.max(LEAST, (count / most) * HEIGHT);
  return html`<rect x="${x}" y="${(HEIGHT - height).toFixed(1)}" width="${SLOT - GAP}" height="${height.toFixed(1)}"><title>${inDigits(count)}件</title></rect>`;
}

const KINDS: Readonly<Record<ReconciliationKind, string>> = {
  first: "初回",
  hourly: "毎時",
  full: "全件",
  manual: "手動",
  closing: "連携終了時",
};

/** Column headers. Narrow screens repeat them in each row. */
const HEADS = ["日時", "種類", "取り込んだ契約書", "照合で発見", "取り込み対象外", "所要時間"] as const;

/** Roles are explicit: on narrow screens the rows are blocks, and browsers then drop the table semantics. */
function table(runs: readonly Run[], state: LinkState): Html {
  const heads = HEADS.map((head) => html`<th role="columnheader" scope="col">${head}</th>`);
  return html`<table class="runs" role="table" aria-labelledby="runs">
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">
${runs.map((run) => row(run, state))}</tbody>
</table>
<p class="note">取り込んだ契約書：照合の開始から次の照合までに取り込んだファイル。即時通知で取り込んだものも含みます。照合で発見：即時通知が届かず、照合で見つけたエンベロープ。取り込み対象外：照合で新たに見つけた、取り込み対象外のエンベロープ。</p>`;
}

function row(run: Run, state: LinkState): Html {
  const excluded = Object.values(run.excluded).reduce((sum, count) => sum + count, 0);
  return html`<tr role="row">
<th role="rowheader" scope="row">${shortMoment(run.to)}</th>
${cell(1, kindWords(run, state))}${cell(2, inDigits(run.imported))}${cell(3, missedWords(run))}${cell(4, inDigits(excluded))}
${cell(5, durationWords(run))}
</tr>\n`;
}

function cell(column: number, content: Html | string): Html {
  return html`<td role="cell" data-head="${HEADS[column]}">${content}</td>`;
}

/** A run that a link's error interrupted resumes when the link is active again. */
function kindWords({ kind, state }: Reconciliation, link: LinkState): string {
  if (state === "done") return KINDS[kind];
  return `${KINDS[kind]}（${state === "running" && link === "active" ? "実行中" : "中断"}）`;
}

/** Highlights missed envelopes by weight and an icon, not by colour alone. A first import precedes all events. */
function missedWords({ kind, missed }: Reconciliation): Html | string {
  if (kind === "first") return "―";
  return missed === 0 ? "0" : html`<b class="missed">${icon("info")}${inDigits(missed)}</b>`;
}

function durationWords({ startedAt, endedAt }: Reconciliation): string {
  return endedAt === null ? "―" : shortDuration(endedAt.getTime() - startedAt.getTime());
}
