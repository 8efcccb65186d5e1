import { type EnvelopeId, parseUuid } from "../../../domain/identifiers.ts";
import { contractsOfEnvelopes, type StoredContract } from "../../../store/contracts/contracts.ts";
import type { EnvelopeState, LedgerEntry } from "../../../store/ledger/envelopes.ts";
import { listByState } from "../../../store/ledger/outcome-lists.ts";
import type { Link } from "../../../store/links/links.ts";
import type { Uses } from "../../../usecases/capabilities.ts";
import { findLinkWait } from "../../../usecases/importing/waiting-cause.ts";
import { type Html, html } from "../../html/html.ts";
import { exclusionLabel, importLabel, momentOrDash, waitingLabel } from "../words.ts";

/** The envelopes behind one of the link's counts. */
export type EnvelopeList = {
  readonly outcome: EnvelopeState;
  readonly rows: readonly {
    readonly entry: LedgerEntry;
    readonly reason: string;
    readonly files: readonly StoredContract[];
  }[];
  readonly next: EnvelopeId | null;
};

const PAGE_SIZE = 50;

const TITLES: Readonly<Record<EnvelopeState, string>> = {
  imported: "取り込み済みのエンベロープ",
  excluded: "取り込み対象外のエンベロープ",
  deleted: "キャビネで削除したエンベロープ",
  waiting: "取り込み待ちのエンベロープ",
};

/** Checks the address's `outcome`. Returns null for anything else. */
export function parseOutcome(outcome: unknown): EnvelopeState | null {
  return OUTCOMES.find((one) => one === outcome) ?? null;
}

const OUTCOMES = ["imported", "excluded", "deleted", "waiting"] as const;

/** Reads a page of the link's envelopes, the latest completion first. `after` is the id that the page before ended with. */
export async function readEnvelopes(
  deps: Uses<"budgets" | "db" | "now">,
  link: Link,
  { outcome, after }: { outcome: EnvelopeState; after: unknown },
): Promise<EnvelopeList> {
  const found = await listByState(deps.db, {
    tenant: link.tenant,
    linkId: link.id,
    state: outcome,
    limit: PAGE_SIZE + 1,
    after: parseUuid<EnvelopeId>(after),
  });
  const entries = found.slice(0, PAGE_SIZE);
  const whole = outcome === "waiting" ? await findLinkWait(deps, link, "listing") : null;
  const ids = entries.map(({ envelopeId }) => envelopeId);
  const files = Map.groupBy(
    await contractsOfEnvelopes(deps.db, link.tenant, ids),
    ({ source }) => source.envelopeId,
  );
  return {
    outcome,
    rows: entries.map((entry) => ({
      entry,
      reason: whole === null ? reasonOf(entry) : waitingLabel(whole.reason),
      files: files.get(entry.envelopeId) ?? [],
    })),
    next: found.length > PAGE_SIZE ? (entries.at(-1)?.envelopeId ?? null) : null,
  };
}

function reasonOf({ state, reason }: LedgerEntry): string {
  switch (state) {
    case "imported":
      return importLabel(reason);
    case "excluded":
      return exclusionLabel(reason);
    case "waiting":
      return waitingLabel(reason);
    case "deleted":
      return "キャビネで削除した";
  }
}

export function envelopesTitle(outcome: EnvelopeState): string {
  return TITLES[outcome];
}

/** The content of `/links/envelopes`. Each id leads to its explanation. */
export function envelopesContent(list: EnvelopeList): Html {
  const title = TITLES[list.outcome];
  return html`<h1>${title}</h1>
<section class="card" aria-labelledby="envelopes">
<h2 id="envelopes">一覧</h2>
${list.rows.length === 0 ? html`<p class="note">エンベロープはありません。</p>` : table(list)}
${list.outcome === "waiting" && html`<p class="note">即時通知が届いたばかりのエンベロープは、確認が終わるまで一覧に表示されないことがあります。</p>`}
<p class="actions"><a class="button" href="/links#totals">件数の内訳へ戻る</a>
${list.next !== null && html`<a class="button" href="/links/envelopes?outcome=${list.outcome}&after=${list.next}">次の50件</a>`}</p>
</section>`;
}

const HEADS = ["エンベロープ", "締結完了日時", "理由"] as const;

function table({ rows }: EnvelopeList): Html {
  const heads = HEADS.map((head) => html`<th role="columnheader" scope="col">${head}</th>`);
  return html`<table class="contracts" role="table" aria-labelledby="envelopes">
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">
${rows.map(row)}</tbody>
</table>`;
}

function row({ entry, reason, files }: EnvelopeList["rows"][number]): Html {
  const names = files.map(({ fileName }) => fileName).filter((name) => name !== "");
  return html`<tr role="row">
<th role="rowheader" scope="row">${names.length > 0 && html`${names.join("、")}<br>`}<a class="id" href="/links?envelope=${entry.envelopeId}#inquiry">${entry.envelopeId}</a></th>
<td role="cell" data-head="${HEADS[1]}">${momentOrDash(entry.completedAt)}</td>
<td role="cell" data-head="${HEADS[2]}">${reason}</td>
</tr>\n`;
}
