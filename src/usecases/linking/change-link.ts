import { Refusal } from "../../domain/refusal.ts";
import type { Database } from "../../store/database.ts";
import { recordAudit } from "../../store/links/audit.ts";
import { hasGroup } from "../../store/links/groups.ts";
import { changeLink, lockLink } from "../../store/links/link-writes.ts";
import { findCurrentLink, type Link } from "../../store/links/links.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { recoverLink } from "../health/link-health.ts";
import type { Owner } from "./begin-linking.ts";

/**
 * Sends future imports to another group; imported contracts stay where they are (import-rules 5). Resumes a link that
 * waited because its group was missing. Refuses with `link-not-found` or `group-not-found`.
 */
export async function editLink(deps: Uses<"db" | "now">, owner: Owner, groupId: string): Promise<void> {
  await changeCurrent(deps, owner, async (tx, link, now) => {
    if (!(await hasGroup(tx, owner.tenant, groupId))) throw new Refusal("group-not-found");
    await changeLink(tx, link.id, { groupId });
    if (link.cause === "group-missing") await recoverLink(tx, link, now);
    const details = { from: link.groupId, to: groupId };
    await recordAudit(tx, {
      tenant: owner.tenant,
      linkId: link.id,
      at: now,
      by: owner,
      action: "edited",
      details,
    });
  });
}

/**
 * Approves a large first import, which then begins. Refuses with `link-not-found`, or with `not-awaiting-approval` if
 * no first import awaits approval.
 */
export async function approveImport(deps: Uses<"db" | "now">, owner: Owner): Promise<void> {
  await changeCurrent(deps, owner, async (tx, link, now) => {
    if (link.approval !== "awaited")
      throw new Refusal("not-awaiting-approval", "No first import awaits approval.");
    await changeLink(tx, link.id, {
      approval: "given",
      ...(link.state === "awaiting-approval" && { state: "active" }),
    });
    if (link.state === "awaiting-approval") {
      await enqueueReconciliation(tx, { linkId: link.id, hour: now, runAt: null, first: true });
    }
    const details = { envelopes: link.firstImport.total };
    await recordAudit(tx, {
      tenant: owner.tenant,
      linkId: link.id,
      at: now,
      by: owner,
      action: "approved",
      details,
    });
  });
}

async function changeCurrent(
  deps: Uses<"db" | "now">,
  owner: Owner,
  change: (tx: Database, link: Link, now: Date) => Promise<void>,
): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const current = await findCurrentLink(tx, owner.tenant);
    const link = current === null ? null : await lockLink(tx, current.id, "update");
    if (link === null || link.state === "ended") throw new Refusal("link-not-found");
    await change(tx, link, deps.now());
  });
}
