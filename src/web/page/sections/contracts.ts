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
};

const PAGE_SIZE = 50;

/** Reads a page of contracts. `after` is the id that the page before ended with; anything else begins at the start. */
export async function readContracts(
  { db }: Uses<"db">,
  tenant: string,
  after: unknown,
): Promise<ContractList> {
  const id = parseUuid<ContractId>(after);
  const last = id === null ? null : await findContract(db, tenant, id);
  const found = await listContracts(db, tenant, {
    limit: PAGE_SIZE + 1,
    after: last,
  });
  const contracts = found.slice(0, PAGE_SIZE);
  return {
    contracts,
    next: found.length > PAGE_SIZE ? (contracts.at(-1)?.id ?? null) : null,
    isFirstPage: last === null,
  };
}

/** The imported contracts, fifty at a time. */
export function contractsSection(
  list: ContractList,
  groups: readonly Group[],
  settings: PageSettings,
): Html | null {
  if (list.contracts.length === 0 && list.isFirstPage) return null;
  return html`<section class="card" aria-labelledby="contracts">
<h2 id="contracts">取り込んだ契約書</h2>
${list.contracts.length === 0 ? html`<p class="note">契約書はありません。</p>` : table(list, groups, settings)}
${nextLinks(list)}
</section>`;
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

function nextLinks({ next, isFirstPage }: ContractList): Html {
  return html`<p class="actions">
${!isFirstPage && html`<a class="button" href="/links#contracts">最初のページ</a>`}
${next !== null && html`<a class="button" href="/links?after=${next}#contracts">次の50件</a>`}
<a href="/links/contracts.csv">CSV</a>
</p>`;
}
