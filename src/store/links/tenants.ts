import { type Kysely, sql } from "kysely";
import { LINK_STATE } from "../link-state.ts";
import type { DB } from "../schema.ts";

/**
 * Lists a page of the tenants that have data, ordered by name: all data of a tenant begins with a contract group. `state`
 * is that of the current link, or null.
 */
export async function listTenants(
  db: Kysely<DB>,
  page: { limit: number; after: string | null },
): Promise<{ tenant: string; state: string | null }[]> {
  const { rows } = await sql<{ tenant: string; state: string | null }>`
    select tenants.tenant, ${LINK_STATE} as state
    from (
      select distinct tenant from cabinet_group
      where ${page.after === null ? sql`true` : sql`tenant > ${page.after}`}
      order by tenant limit ${page.limit}
    ) as tenants
    left join link on link.tenant = tenants.tenant and link.state <> 'ended'
    order by tenants.tenant`.execute(db);
  return rows;
}
