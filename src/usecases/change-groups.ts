import { type Group, markGroupDeleted, storeGroup } from "../store/groups.ts";
import { findCurrentLink, lockLink } from "../store/links.ts";
import type { ChangeDeps } from "./change-link.ts";
import { failLink, recoverLink } from "./link-health.ts";

/** Takes over a group of the cabinet under its name; a link that waited for it to come back goes on. */
export async function putGroup(deps: ChangeDeps, tenant: string, group: Group): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    await storeGroup(tx, tenant, group, deps.now());
    const current = await findCurrentLink(tx, tenant);
    if (current?.groupId !== group.id) return;
    const link = await lockLink(tx, current.id, "update");
    if (link?.cause === "group-missing") await recoverLink(tx, link, deps.now());
  });
}

/**
 * Takes over that a group is gone; that it was gone already changes nothing. Imports into it wait, visibly, until
 * the owner has chosen another (import-rules 5).
 */
export async function deleteGroup(deps: ChangeDeps, tenant: string, id: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    if (!(await markGroupDeleted(tx, tenant, id, deps.now()))) return;
    const current = await findCurrentLink(tx, tenant);
    if (current?.groupId !== id) return;
    const link = await lockLink(tx, current.id, "update");
    if (link !== null && link.state !== "error") await failLink(tx, link, "group-missing");
  });
}
