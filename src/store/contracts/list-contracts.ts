import { type Kysely, type RawBuilder, sql } from "kysely";
import { coverDates } from "../../domain/date-cover.ts";
import { normalizeText } from "../../domain/search-text.ts";
import type { DB } from "../schema.ts";
import { withCertificates } from "./certificates.ts";
import { COLUMNS, type ContractRow, type StoredContract, toContract } from "./contracts.ts";
import { listBlocks } from "./search-blocks.ts";
import { accountFact, groupFact, periodKeys, queryKeys } from "./search-keys.ts";

export type ContractFilter = {
  readonly group?: string | undefined;
  readonly envelopeId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly concludedFrom?: string | undefined;
  readonly concludedTo?: string | undefined;
  readonly importedFrom?: Date | undefined;
  readonly importedTo?: Date | undefined;
  /** A part of the file name, the subject, or the name of the sender or a recipient. */
  readonly q?: string | undefined;
};

/**
 * A place in the list, such as its last contract so far. Version 0.1 listed contracts of one moment by descending id. So
 * a place without a position has passed those of its moment from its id on; `passedFrom` is such an id of earlier pages.
 */
export type ContractPlace = {
  readonly importedAt: Date;
  readonly id: string;
  readonly source?: { readonly position: number | null };
  readonly passedFrom?: string | null;
};

type Page = ContractFilter & { readonly limit: number; readonly after: ContractPlace | null };
type Condition = RawBuilder<boolean>;

/**
 * A page of the tenant's contracts that are not deleted: the newest import first, then by position in the envelope (unknown
 * ones last), then by id. Contracts that are imported meanwhile move no page.
 */
export async function listContracts(db: Kysely<DB>, tenant: string, page: Page): Promise<StoredContract[]> {
  const word = page.q === undefined ? null : normalizeText(page.q);
  const conditions = conditionsOf(tenant, page);
  if (word !== null) conditions.push(sql`strpos(search, ${word}) > 0`);
  const { rows } =
    word !== null && word.length > 1 && page.envelopeId === undefined
      ? await searchBlocks(db, { tenant, word, page, conditions })
      : await sql<ContractRow>`
          select ${columns} from contract where deleted_at is null and ${all(conditions)} ${inOrder(page.limit)}`.execute(
          db,
        );
  return await withCertificates(db, rows.map(toContract));
}

const columns = sql.join(COLUMNS.map((column) => sql.ref(column)));

function all(conditions: readonly Condition[]): Condition {
  return sql.join(conditions, sql` and `);
}

function inOrder(limit: number): RawBuilder<unknown> {
  return sql`order by imported_at desc, position, id limit ${limit}`;
}

function conditionsOf(tenant: string, page: Page): Condition[] {
  const { group, envelopeId, accountId, concludedFrom, concludedTo, importedFrom, importedTo } = page;
  return [
    sql<boolean>`tenant = ${tenant}`,
    ...(group === undefined ? [] : [sql<boolean>`group_id = ${group}`]),
    ...(envelopeId === undefined ? [] : [sql<boolean>`envelope_id = ${envelopeId}`]),
    ...(accountId === undefined ? [] : [sql<boolean>`account_id = ${accountId}`]),
    ...(concludedFrom === undefined ? [] : [sql<boolean>`concluded_on >= ${concludedFrom}`]),
    ...(concludedTo === undefined ? [] : [sql<boolean>`concluded_on <= ${concludedTo}`]),
    ...(importedFrom === undefined ? [] : [sql<boolean>`imported_at >= ${importedFrom}`]),
    ...(importedTo === undefined ? [] : [sql<boolean>`imported_at <= ${importedTo}`]),
    ...(page.after === null ? [] : [isAfter(page.after)]),
  ];
}

/** Sorts unknown positions last, as PostgreSQL sorts null. */
const LAST = 2_147_483_647;

function isAfter({ importedAt, id, source, passedFrom = null }: ContractPlace): Condition {
  const atThatMoment =
    source === undefined
      ? [sql<boolean>`id < ${id}`]
      : [sql<boolean>`(coalesce(position, ${LAST}), id) > (${source.position ?? LAST}::int, ${id}::uuid)`];
  if (passedFrom !== null) atThatMoment.push(sql<boolean>`id < ${passedFrom}`);
  // The first condition bounds the index scan.
  return sql`imported_at <= ${importedAt} and (imported_at < ${importedAt} or (${all(atThatMoment)}))`;
}

type Search = {
  readonly tenant: string;
  readonly word: string;
  readonly page: Page;
  readonly conditions: readonly Condition[];
};

/**
 * Reads one block after the other, the newest first, until the page is full. In each, the index of keys finds the contracts
 * that may contain the word, so neither frequent nor rare words make it read much more than it returns.
 */
async function searchBlocks(db: Kysely<DB>, { tenant, word, page, conditions }: Search) {
  const facts = [
    ...(page.group === undefined ? [] : [groupFact(page.group)]),
    ...(page.accountId === undefined ? [] : [accountFact(page.accountId)]),
  ];
  const until = page.after?.importedAt ?? page.importedTo ?? null;
  const blocks = await listBlocks(db, tenant, { from: page.importedFrom ?? null, until });
  const keys = blocks.map(({ block }) => `{${queryKeys({ tenant, block, word }, facts).join()}}`);
  const periods = await coverConclusions(db, tenant, page);
  const dates = blocks.map(({ block }) => `{${periodKeys(tenant, block, periods ?? []).join()}}`);
  const isInPeriod = periods === null ? sql`` : sql`and search_keys && block.dates::int[]`;
  const starts = blocks.map(({ startsAt }) => startsAt);
  const ends = blocks.map(({ endsAt }) => endsAt);
  // "offset 0" keeps the planner from scanning the table in its order, in which it would expect the word soon.
  return await sql<ContractRow>`
    select found.* from unnest(
      ${starts}::timestamptz[], ${ends}::timestamptz[], ${keys}::text[], ${dates}::text[]
    ) as block (starts_at, ends_at, keys, dates)
    cross join lateral (
      select ${columns} from (
        select * from contract
        where deleted_at is null and search_keys @> block.keys::int[] ${isInPeriod} offset 0
      ) as candidate
      where imported_at >= block.starts_at and imported_at < block.ends_at and ${all(conditions)}
      ${inOrder(page.limit)}
    ) as found
    limit ${page.limit}`.execute(db);
}

/** Returns periods that cover the range of the page's dates as far as the tenant has contracts; null for no range. */
async function coverConclusions(
  db: Kysely<DB>,
  tenant: string,
  { concludedFrom, concludedTo }: ContractFilter,
): Promise<string[] | null> {
  if (concludedFrom === undefined && concludedTo === undefined) return null;
  // Both functions ignore null.
  const { rows } = await sql<{ first: string | null; last: string | null }>`
    select greatest(min(concluded_on), ${concludedFrom ?? null}::date) as first,
      least(max(concluded_on), ${concludedTo ?? null}::date) as last
    from contract where tenant = ${tenant} and deleted_at is null`.execute(db);
  const { first = null, last = null } = rows[0] ?? {};
  return first === null || last === null ? [] : coverDates(first, last);
}
