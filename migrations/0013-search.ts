import { type Kysely, sql } from "kysely";
import { changeWithoutBlocking } from "../src/store/schema-changes.ts";

/** Ends with indexes of a large table, which are built while the service writes. */
export const withoutTransaction = true;

/** Contracts know their sender, recipients and place in the envelope, and can be searched by their names. */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!(await isDivided(db))) await changeWithoutBlocking(db, DIVISION);
  await changeWithoutBlocking(db, COLUMNS);
  for (const [name, definition] of INDEXES) {
    // An interrupted build leaves an invalid index behind.
    await sql.raw(`drop index concurrently if exists ${name}`).execute(db);
    await sql.raw(`create index concurrently ${name} on ${definition}`).execute(db);
  }
}

async function isDivided(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql<{
    found: boolean;
  }>`select to_regclass('contract_block') is not null as found`.execute(db);
  return rows[0]?.found === true;
}

/** Reads all contracts, so it comes before the columns, whose lock would stop the service meanwhile. */
const DIVISION = [
  `create table contract_block (
    tenant text not null,
    starts_at timestamptz(3) not null,
    primary key (tenant, starts_at)
  )`,
  `comment on table contract_block is 'divides a tenant''s list of contracts by import into blocks of some 4,000, which searches read one after the other'`,
  `insert into contract_block (tenant, starts_at)
    select distinct tenant, imported_at from (
      select tenant, imported_at, row_number() over (partition by tenant order by imported_at) as number from contract
    ) as numbered
    where number % 4000 = 0`,
];

const COLUMNS = [
  `alter table contract
    add column if not exists position int,
    add column if not exists sender jsonb,
    add column if not exists recipients jsonb,
    add column if not exists search text,
    add column if not exists search_keys int[]`,
  `comment on column contract.position is 'of the document among the envelope''s content documents, from 1; null if unknown'`,
  `comment on column contract.search is 'normalized names; null if deleted, or if version 0.1 wrote the row and no job has filled it yet'`,
  `comment on column contract.search_keys is 'hashes of tenant and block with each pair of characters in search, with the group, and with the account'`,
];

const INDEXES = [
  // Without a pending list, which every search would read.
  ["contract_search", "contract using gin (search_keys) with (fastupdate = off) where deleted_at is null"],
  ["contract_unsearchable", "contract (imported_at) where search_keys is null and deleted_at is null"],
  [
    "contract_page_of_account",
    "contract (tenant, account_id, imported_at desc, id desc) where deleted_at is null",
  ],
] as const;
