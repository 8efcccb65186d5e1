import { Refusal } from "../../domain/refusal.ts";
import type { Database } from "../../store/database.ts";
import { type AuditEntry, recordAudit } from "../../store/links/audit.ts";
import { hasGroup } from "../../store/links/groups.ts";
import { changeLink, lockLink } from "../../store/links/link-writes.ts";
import { findCurrentLink, type Link } from "../../store/links/links.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { recoverLink } from "../health/link-health.ts";
import type { Owner } from "./begin-linking.ts";
import { moveStart, requireNotLater, requireStarted } from "./start-date.ts";

/** The properties of a link that an owner can change. Absent properties stay as they are. */
export type LinkEdit = {
  readonly groupId?: string;
  /** The start date in Japan, `YYYY-MM-DD`; null for none. */
  readonly from?: string | null;
  /** True if later imports fetch the certificate of completion too. */
  readonly certificates?: boolean;
};

/**
 * Edits the link. Another group is for future imports; imported contracts stay where they are (import-rules 5). It resumes
 * a link that waited because its group was missing. An earlier start date includes more envelopes. Refuses with
 * `link-not-found`, `group-not-found`, or `malformed` for a start date that is later or in the future.
 */
export async function editLink(deps: Uses<"db" | "now">, owner: Owner, edit: LinkEdit): Promise<void> {
  const { groupId, from, certificates } = edit;
  await changeCurrent(deps, owner, async (tx, link, now) => {
    if (from !== undefined) {
      requireStarted(from, now);
      requireNotLater(from, link.startDate);
    }
    if (certificates !== undefined) await changeLink(tx, link.id, { certificates });
    if (groupId !== undefined) await changeGroup(tx, link, groupId, now);
    if (from !== undefined && from !== link.startDate) await moveStart(tx, link, from, now);
    const details = {
      ...(groupId !== undefined && { from: link.groupId, to: groupId }),
      ...(from !== undefined && { startDate: from }),
      ...(certificates !== undefined && { certificates }),
    };
    await recordAudit(tx, { ...entryOf(link, owner, now), action: "edited", details });
  });
}

async function changeGroup(tx: Database, link: Link, groupId: string, now: Date): Promise<void> {
  if (!(await hasGroup(tx, link.tenant, groupId))) throw new Refusal("group-not-found");
  await changeLink(tx, link.id, { groupId });
  if (link.cause === "group-missing") await recoverLink(tx, link, now);
}

/**
 * Approves a large first import, which then begins. `from` replaces the link's start date: nothing has been imported yet.
 * Refuses with `link-not-found`, with `not-awaiting-approval` if no first import awaits approval, or with `malformed` for a
 * start date in the future.
 */
export async function approveImport(
  deps: Uses<"db" | "now">,
  owner: Owner,
  { from }: Pick<LinkEdit, "from"> = {},
): Promise<void> {
  await changeCurrent(deps, owner, async (tx, link, now) => {
    if (from !== undefined) requireStarted(from, now);
    if (link.approval !== "awaited")
      throw new Refusal("not-awaiting-approval", "No first import awaits approval.");
    await changeLink(tx, link.id, {
      approval: "given",
      ...(link.state === "awaiting-approval" && { state: "active" }),
    });
    if (from !== undefined) await moveStart(tx, link, from, now);
    if (link.state === "awaiting-approval") {
      await enqueueReconciliation(tx, { linkId: link.id, hour: now, runAt: null, first: true });
    }
    const details = {
      envelopes: link.firstImport.total,
      ...(from !== undefined && { startDate: from }),
    };
    await recordAudit(tx, { ...entryOf(link, owner, now), action: "approved", details });
  });
}

export function entryOf({ id, tenant }: Link, by: Owner, at: Date): Omit<AuditEntry, "action" | "details"> {
  return { tenant, linkId: id, at, by };
}

/** Changes the tenant's link in a transaction that holds its lock. Refuses with `link-not-found`. */
export async function changeCurrent(
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
