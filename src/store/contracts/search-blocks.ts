import { type Kysely, type RawBuilder, sql } from "kysely";
import type { DB } from "../schema.ts";
import type { Block } from "./search-keys.ts";

/** Larger blocks make searches for frequent words slower, smaller ones those for rare words. */
const BLOCK_SIZE = 4_000;
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Selects the block of a contract, as text that does not depend on the session's time zone. */
export function blockOf(tenant: unknown, importedAt: unknown): RawBuilder<Block> {
  return sql<Block>`coalesce((
    select to_char(max(starts_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from contract_block
    where contract_block.tenant = ${tenant} and starts_at <= ${importedAt}
  ), '')`;
}

/** Returns the block of a contract, of these starts of blocks with the newest first. */
export function blockAt(starts: readonly Date[], importedAt: Date): Block {
  return starts.find((start) => start <= importedAt)?.toISOString() ?? "";
}

/** A block with its bounds, as PostgreSQL reads timestamps. It ends before the next one starts. */
export type BoundedBlock = { readonly block: Block; readonly startsAt: string; readonly endsAt: string };

/** Lists the tenant's blocks that may hold contracts imported in a period, the newest first. */
export async function listBlocks(
  db: Kysely<DB>,
  tenant: string,
  { from, until }: { from: Date | null; until: Date | null },
): Promise<BoundedBlock[]> {
  const rows = await db
    .selectFrom("contract_block")
    .select("starts_at")
    .where("tenant", "=", tenant)
    .orderBy("starts_at", "desc")
    .execute();
  const starts = rows.map((row) => row.starts_at);
  return [...starts, null]
    .map((start, index) => ({ start, end: starts[index - 1] ?? null }))
    .filter(({ start, end }) => isOrdered(start, until) && isOrdered(from, end))
    .map(({ start, end }) => ({
      block: start?.toISOString() ?? "",
      startsAt: start?.toISOString() ?? "-infinity",
      endsAt: end?.toISOString() ?? "infinity",
    }));
}

/** Null is the open end of a range. */
function isOrdered(one: Date | null, other: Date | null): boolean {
  return one === null || other === null || one <= other;
}

/**
 * Begins a new block for each tenant whose newest one is full. It begins an hour later, so that no import has read the
 * blocks before and is committed after its start.
 */
export async function beginBlocks(db: Kysely<DB>, now: Date): Promise<void> {
  await sql`
    insert into contract_block (tenant, starts_at)
    select one.tenant, ${new Date(now.getTime() + HOUR_MS)}
    from (select distinct tenant from link) as one
    cross join lateral (
      select coalesce(max(starts_at), '-infinity') as starts_at from contract_block where tenant = one.tenant
    ) as newest
    where newest.starts_at <= ${now}
      and exists (
        select from contract
        where tenant = one.tenant and deleted_at is null and imported_at > ${new Date(now.getTime() - DAY_MS)}
      )
      and ${BLOCK_SIZE}::int = (
        select count(*) from (
          select from contract
          where tenant = one.tenant and deleted_at is null and imported_at >= newest.starts_at
          limit ${BLOCK_SIZE}
        ) as counted
      )
    on conflict do nothing`.execute(db);
}
