import type { ContractId } from "../../../domain/identifiers.ts";
import { parseUuid } from "../../../domain/identifiers.ts";
import { findContract, type StoredContract } from "../../../store/contracts/contracts.ts";
import { listContracts } from "../../../store/contracts/list-contracts.ts";
import type { Group } from "../../../store/links/groups.ts";
import type { PageSettings, Uses } from "../../../usecases/capabilities.ts";
import { type Html, html } from "../../html/html.ts";
import { moment } from "../words.ts";
import { groupName } from "./link.ts";

/** A page of the tenant's contracts, the newest import first. */
export type ContractList = {
  readonly contracts: readonly StoredContract[];
  /** The last contract of the page, if more follow. */
  readonly next: ContractId | null;
  readonly isFirstPage: boolean;
  /** The words that the contracts match; null for all contracts. */
  readonly q: string | null;
};

const PAGE_SIZE = 50;
const LONGEST_SEARCH = 100;

/**
 * Reads a page of contracts that match `q`. `after` is the id that the page before ended with; anything else begins at the
 * start.
 */
export async function readContracts(
  { db }: Uses<"db">,
  tenant: string,
  { q: asked, after }: { readonly q?: unknown; readonly after?: unknown },
): Promise<ContractList> {
  const id = parseUuid<ContractId>(after);
  const q = parseSearch(asked);
  const last = id === null ? null : await findContract(db, tenant, id);
  const found = await listContracts(db, tenant, { q: q ?? undefined, limit: PAGE_SIZE + 1, after: last });
  const contracts = found.slice(0, PAGE_SIZE);
  return {
    contracts,
    next: found.length > PAGE_SIZE ? (contracts.at(-1)?.id ?? null) : null,
    isFirstPage: last === null,
    q,
  };
}

/** Reads the words to search for. Null for none; longer texts are cut off after 100 characters. */
export function parseSearch(asked: unknown): string | null {
  const words = typeof asked === "string" ? [...asked.trim()].slice(0, LONGEST_SEARCH).join("").trim() : "";
  return words === "" ? null : words;
}

/** The imported contracts, fifty at a time. */
export function contractsSection(
  list: ContractList,
  groups: readonly Group[],
  settings: PageSettings,
): Html | null {
  if (list.contracts.length === 0 && list.isFirstPage && list.q === null) return null;
  return html`<section class="card" aria-labelledby="contracts">
<h2 id="contracts">取り込んだ契約書</h2>
${searchForm(list)}
${list.contracts.length === 0 ? html`<p class="note" role="status">該当する契約書はありません。</p>` : table(list, groups, settings)}
${nextLinks(list)}
</section>`;
}

function searchForm({ q }: ContractList): Html {
  return html`<form method="get" action="/links#contracts" class="fields" role="search" aria-labelledby="contracts">
<p class="field wide">
<label for="q">ファイル名、件名、送信者または受信者の名前に含まれる語</label>
<input id="q" name="q" type="search" value="${q ?? ""}" maxlength="${LONGEST_SEARCH}" autocomplete="off">
</p>
<p class="actions"><button>検索</button>${q !== null && html`<a class="button" href="/links#contracts">すべて表示</a>`}</p>
</form>`;
}

const HEADS = ["ファイル名", "契約締結日", "取り込み日時", "契約書グループ"] as const;

function table({ contracts }: ContractList, groups: readonly Group[], settings: PageSettings): Html {
  const heads = HEADS.map((head) => html`<th role="columnheader" scope="col">${head}</th>`);
  const rows = contracts.map(
    (contract) => html`<tr role="row">
<th role="rowheader" scope="row">${fileLink(contract, settings)}</th>
<td role="cell" data-head="${HEADS[1]}">${contract.concludedOn.replaceAll("-", "/")}</td>
<td role="cell" data-head="${HEADS[2]}">${moment(contract.importedAt)}</td>
<td role="cell" data-head="${HEADS[3]}">${groupName(groups, contract.groupId)}</td>
</tr>\n`,
  );
  return html`<table class="contracts" role="table" aria-labelledby="contracts">
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">
${rows}</tbody>
</table>`;
}

/** The file's name, as a link into the cabinet if the installation has an address for contracts. */
function fileLink({ id, fileName }: StoredContract, { contractUrl }: PageSettings): Html {
  if (contractUrl === null) return html`${fileName}`;
  return html`<a href="${contractUrl.replace("{id}", encodeURIComponent(id))}">${fileName}</a>`;
}

function nextLinks({ next, isFirstPage, q }: ContractList): Html {
  const address = (path: string, more: Readonly<Record<string, string>> = {}): string => {
    const query = new URLSearchParams({ ...(q !== null && { q }), ...more }).toString();
    return query === "" ? path : `${path}?${query}`;
  };
  return html`<p class="actions">
${!isFirstPage && html`<a class="button" href="${address("/links")}#contracts">最初のページ</a>`}
${next !== null && html`<a class="button" href="${address("/links", { after: next })}#contracts">次の50件</a>`}
<a href="${address("/links/contracts.csv")}">CSV</a>
</p>`;
}
