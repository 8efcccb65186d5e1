import { once } from "node:events";
import type { Response } from "express";
import { inJapan } from "../../domain/japan-time.ts";
import type { StoredContract } from "../../store/contracts/contracts.ts";
import { listContracts } from "../../store/contracts/list-contracts.ts";
import { type Group, listGroups } from "../../store/links/groups.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { groupName } from "./sections/link.ts";

const ROWS_AT_ONCE = 500;
/** Spreadsheets take a file without it for Shift_JIS. */
const BYTE_ORDER_MARK = "\uFEFF";

const COLUMNS: readonly (readonly [
  string,
  (contract: StoredContract, groups: readonly Group[]) => string,
])[] = [
  ["ファイル名", ({ fileName }) => fileName],
  ["件名", ({ source }) => source.subject ?? ""],
  ["契約締結日", ({ concludedOn }) => concludedOn],
  ["取り込み日時", ({ importedAt }) => timeInJapan(importedAt)],
  ["契約書グループ", ({ groupId }, groups) => groupName(groups, groupId)],
  ["エンベロープID", ({ source }) => source.envelopeId],
  ["契約書ID", ({ id }) => id],
];

/**
 * Streams the tenant's contracts that match `q`, or all, as CSV (RFC 4180, UTF-8), the newest import first. Times are in
 * Japan.
 */
export async function sendContractsCsv(
  { db }: Uses<"db">,
  { tenant, q }: { tenant: string; q: string | null },
  response: Response,
): Promise<void> {
  const groups = await listGroups(db, tenant);
  response.set("Content-Disposition", 'attachment; filename="contracts.csv"').type("text/csv; charset=utf-8");
  response.write(BYTE_ORDER_MARK + line(COLUMNS.map(([name]) => name)));
  let last: StoredContract | undefined;
  do {
    const contracts = await listContracts(db, tenant, {
      q: q ?? undefined,
      limit: ROWS_AT_ONCE,
      after: last ?? null,
    });
    const rows = contracts.map((contract) => line(COLUMNS.map(([, valueOf]) => valueOf(contract, groups))));
    if (!response.write(rows.join("")))
      await Promise.race([once(response, "drain"), once(response, "close")]);
    last = contracts.length === ROWS_AT_ONCE ? contracts.at(-1) : undefined;
  } while (last !== undefined && !response.destroyed);
  response.end();
}

function line(cells: readonly string[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

/** A spreadsheet would run a cell that begins like a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function timeInJapan(at: Date): string {
  const { date, time } = inJapan(at);
  return `${date} ${time}`;
}
