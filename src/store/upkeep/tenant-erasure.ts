import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { linkFlag } from "../queue/queue.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";

/** The last erasure of a tenant. `erasedAt` is null while it runs. */
export type Erasure = { readonly begunAt: Date; readonly erasedAt: Date | null };

export async function findErasure(db: Kysely<DB>, tenant: string): Promise<Erasure | null> {
  const row = await db
    .selectFrom("erased_tenant")
    .select(["begun_at as begunAt", "erased_at as erasedAt"])
    .where("tenant", "=", tenant)
    .executeTakeFirst();
  return row ?? null;
}

/** Notes that an erasure begins, before its tombstone is written. */
export async function beginErasure(db: Kysely<DB>, tenant: string, at: Date): Promise<void> {
  await db
    .insertInto("erased_tenant")
    .values({ tenant, begun_at: at })
    .onConflict((conflict) => conflict.column("tenant").doUpdateSet({ begun_at: at, erased_at: null }))
    .execute();
}

/** Restores the note as it was before an erasure that did not begin after all. */
export async function abandonErasure(db: Kysely<DB>, tenant: string, before: Erasure | null): Promise<void> {
  if (before === null) await db.deleteFrom("erased_tenant").where("tenant", "=", tenant).execute();
  else
    await db
      .updateTable("erased_tenant")
      .set({ begun_at: before.begunAt, erased_at: before.erasedAt })
      .where("tenant", "=", tenant)
      .execute();
}

export async function endErasure(tx: Kysely<DB>, tenant: string, at: Date): Promise<void> {
  await tx.updateTable("erased_tenant").set({ erased_at: at }).where("tenant", "=", tenant).execute();
}

/** Returns the links of the tenant, ended ones included, with the time of the newest. */
export async function findLinksOf(
  db: Kysely<DB>,
  tenant: string,
): Promise<{ ids: LinkId[]; newest: Date | null }> {
  const rows = await db
    .selectFrom("link")
    .select(["id", "linked_at"])
    .where("tenant", "=", tenant)
    .orderBy("linked_at", "desc")
    .execute();
  return {
    ids: rows.map(({ id }) => required(parseUuid<LinkId>(id))),
    newest: rows[0]?.linked_at ?? null,
  };
}

/** Returns true if any table holds a row of the tenant, apart from the note of its erasure. */
export async function hasRows(db: Kysely<DB>, tenant: string): Promise<boolean> {
  for (const table of await listTenantTables(db)) {
    const { rows } = await sql`select from ${sql.table(table)} where tenant = ${tenant} limit 1`.execute(db);
    if (rows.length > 0) return true;
  }
  return false;
}

/** Lists the keys under which the document store may hold bytes of the tenant. Erased documents have none. */
export async function listKeysOf(db: Kysely<DB>, tenant: string): Promise<string[]> {
  const { rows: columns } = await sql<{ table: string; column: string; mayBeErased: boolean }>`
    select c.table_name as table, c.column_name as column, exists (
      select from information_schema.columns as other where other.table_schema = c.table_schema
        and other.table_name = c.table_name and other.column_name = 'erased_at'
    ) as "mayBeErased"
    from information_schema.columns as c
    where c.table_schema = current_schema() and c.column_name in ('key', 'document_key')
      and c.table_name = any(${await listTenantTables(db)})`.execute(db);
  const keys = new Set<string>();
  for (const { table, column, mayBeErased } of columns) {
    const isKept = mayBeErased ? sql`and erased_at is null` : sql``;
    const { rows } = await sql<{ key: string }>`
      select ${sql.ref(column)} as key from ${sql.table(table)} where tenant = ${tenant} ${isKept}`.execute(
      db,
    );
    for (const { key } of rows) keys.add(key);
  }
  return [...keys];
}

/** Counts the jobs that a worker is running for the links: their own, and those that they share with others. */
export async function countRunningJobs(db: Kysely<DB>, linkIds: readonly LinkId[]): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from graphile_worker._private_jobs
    where locked_at is not null
      and (${isOfLinks(linkIds)} or payload::jsonb -> 'linkIds' ?| ${linkIds}::text[])`.execute(db);
  return Number(rows[0]?.count);
}

/**
 * Deletes every row of the tenant except the note of its erasure, and its waiting jobs. Covers every table that has a
 * column `tenant`. Returns the number of rows by table.
 */
export async function eraseRows(
  tx: Kysely<DB>,
  tenant: string,
  linkIds: readonly LinkId[],
): Promise<Record<string, number>> {
  const jobs = await eraseJobs(tx, linkIds);
  const { rows } = await sql<{ erased: Record<string, number> }>`
    select erase_tenant_rows(${tenant}) as erased`.execute(tx);
  const erased = { job: jobs, ...rows[0]?.erased };
  return Object.fromEntries(Object.entries(erased).filter(([, count]) => count > 0));
}

async function eraseJobs(tx: Kysely<DB>, linkIds: readonly LinkId[]): Promise<number> {
  const { rows } = await sql`
    select id from graphile_worker.complete_jobs(array(
      select id from graphile_worker.jobs where ${isOfLinks(linkIds)}
    ))`.execute(tx);
  return rows.length;
}

function isOfLinks(linkIds: readonly LinkId[]) {
  return sql`flags ?| ${linkIds.map(linkFlag)}::text[]`;
}

async function listTenantTables(db: Kysely<DB>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.columns
    where table_schema = current_schema() and column_name = 'tenant' and table_name <> 'erased_tenant'`.execute(
    db,
  );
  return rows.map(({ name }) => name);
}
