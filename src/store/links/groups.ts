import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";

export type Group = { readonly id: string; readonly name: string };

/** Creates or renames the group; restores a deleted one. */
export async function storeGroup(db: Kysely<DB>, tenant: string, group: Group, now: Date): Promise<void> {
  await db
    .insertInto("cabinet_group")
    .values({ tenant, id: group.id, name: group.name, created_at: now })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "id"]).doUpdateSet({ name: group.name, deleted_at: null }),
    )
    .execute();
}

/** Marks the group deleted. Returns false if the tenant has no such group. */
export async function markGroupDeleted(
  db: Kysely<DB>,
  tenant: string,
  id: string,
  now: Date,
): Promise<boolean> {
  const result = await db
    .updateTable("cabinet_group")
    .set({ deleted_at: now })
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Returns true if the tenant has the group. In a transaction, the group cannot be deleted until its end. */
export async function hasGroup(tx: Kysely<DB>, tenant: string, id: string): Promise<boolean> {
  const row = await tx
    .selectFrom("cabinet_group")
    .select("id")
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** Lists the tenant's groups by name. */
export async function listGroups(db: Kysely<DB>, tenant: string): Promise<Group[]> {
  return await db
    .selectFrom("cabinet_group")
    .select(["id", "name"])
    .where("tenant", "=", tenant)
    .where("deleted_at", "is", null)
    .orderBy("name")
    .orderBy("id")
    .execute();
}

/** Lists a page of the tenant's groups by name. */
export async function listGroupPage(
  db: Kysely<DB>,
  tenant: string,
  page: { limit: number; after: Group | null },
): Promise<Group[]> {
  let query = db
    .selectFrom("cabinet_group")
    .select(["id", "name"])
    .where("tenant", "=", tenant)
    .where("deleted_at", "is", null);
  if (page.after !== null)
    query = query.where(sql<boolean>`(name, id) > (${page.after.name}, ${page.after.id})`);
  return await query.orderBy("name").orderBy("id").limit(page.limit).execute();
}
