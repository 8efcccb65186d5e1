import { periodsOf } from "../../domain/date-cover.ts";
import { pairsOf, searchText } from "../../domain/search-text.ts";

/**
 * The block of the list of contracts that a contract belongs to: the start of its block, as text; empty for the first.
 * See "Search" in docs/design.md.
 */
export type Block = string;

/** The searchable facts of a contract. */
export type Searchable = {
  readonly tenant: string;
  readonly groupId: string;
  readonly fileName: string;
  readonly concludedOn: string;
  readonly source: {
    readonly accountId: string;
    readonly subject: string | null;
    readonly sender: Named | null;
    readonly recipients: readonly Named[] | null;
  };
};

type Named = { readonly name: string | null };

/** Values of the columns `search` and `search_keys` for a contract in this block. */
export function searchColumns(contract: Searchable, block: Block): { search: string; search_keys: number[] } {
  const { tenant, groupId, fileName, concludedOn, source } = contract;
  const { accountId, subject, sender, recipients } = source;
  const people = [sender, ...(recipients ?? [])].map((person) => person?.name ?? null);
  const search = searchText([fileName, subject, ...people]);
  const periods = periodsOf(concludedOn).map(periodFact);
  const facts = [...pairsOf(search), groupFact(groupId), accountFact(accountId), ...periods];
  return { search, search_keys: keysOf(tenant, block, facts) };
}

/** More pairs than this narrow a search no further; the text itself decides in the end. */
const MOST_PAIRS = 12;

/** The keys that each contract of the block has if it has the facts and may contain the normalized word. */
export function queryKeys(
  { tenant, block, word }: { tenant: string; block: Block; word: string },
  facts: readonly string[],
): number[] {
  const pairs = pairsOf(word);
  const step = Math.ceil(pairs.length / MOST_PAIRS);
  return keysOf(tenant, block, [...pairs.filter((_, index) => index % step === 0), ...facts]);
}

export function groupFact(groupId: string): string {
  return `group ${groupId}`;
}

export function accountFact(accountId: string): string {
  return `account ${accountId}`;
}

/** The date of conclusion lies in a period of `domain/date-cover.ts`. */
function periodFact(period: string): string {
  return `period ${period}`;
}

/** Keys of which each contract of the block that was concluded in one of the periods has one. */
export function periodKeys(tenant: string, block: Block, periods: readonly string[]): number[] {
  return keysOf(tenant, block, periods.map(periodFact));
}

function keysOf(tenant: string, block: Block, facts: readonly string[]): number[] {
  const start = hash(FNV_OFFSET, `${tenant}\0${block}\0`);
  return [...new Set(facts.map((fact) => hash(start, fact)))];
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The 32-bit FNV-1a hash of the UTF-16 code units, continued from `start`. Two facts may have the same key, so a search
 * compares what it finds with the word itself.
 */
function hash(start: number, text: string): number {
  let value = start;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME);
  }
  return value | 0;
}
