import type { Database } from "../../store/database.ts";
import { type Group, markGroupDeleted, storeGroup } from "../../store/links/groups.ts";
import { lockLink } from "../../store/links/link-writes.ts";
import { findCurrentLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { failLink, recoverLink } from "../health/link-health.ts";

/** Creates or renames a group of the cabinet. Resumes a link that was waiting for this group to come back. */
export async function putGroup(deps: Uses<"db" | "now">, tenant: string, group: Group): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const link = await lockCurrent(tx, tenant);
    await storeGroup(tx, tenant, group, deps.now());
    if (link?.groupId === group.id && link.cause === "group-missing") await recoverLink(tx, link, deps.now());
  });
}

/**
 * Marks a group as deleted. Idempotent. Imports into it wait, visibly, until the owner chooses another group
 * (import-rules 5).
 */
export async function deleteGroup(deps: Uses<"db" | "now">, tenant: string, id: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const before = await lockCurrent(tx, tenant);
    if (!(await markGroupDeleted(tx, tenant, id, deps.now()))) return;
    // A linking that finished meanwhile locked the group until its link was stored.
    const link = before ?? (await lockCurrent(tx, tenant));
    if (link?.groupId === id && link.state !== "error") await failLink(tx, link, "group-missing");
  });
}

/** Locks the link before the group, in the same order as imports, to avoid deadlocks. */
async function lockCurrent(tx: Database, tenant: string): Promise<Link | null> {
  const current = await findCurrentLink(tx, tenant);
  const link = current === null ? null : await lockLink(tx, current.id, "update");
  return link?.state === "ended" ? null : link;
}
