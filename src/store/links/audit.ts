import type { Kysely } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB, Json } from "../schema.ts";

export type AuditAction = "linked" | "repaired" | "edited" | "approved" | "ended";

export type AuditEntry = {
  readonly tenant: string;
  readonly linkId: LinkId;
  readonly at: Date;
  /** `sub` of the token or session of the person who did it. */
  readonly subject: string;
  readonly action: AuditAction;
  readonly details: Json;
};

/** Records who did what to a link, in the transaction that does it. */
export async function recordAudit(tx: Kysely<DB>, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto("audit")
    .values({
      tenant: entry.tenant,
      link_id: entry.linkId,
      at: entry.at,
      subject: entry.subject,
      action: entry.action,
      details: JSON.stringify(entry.details),
    })
    .execute();
}

/** Lists the audit trail of a link, oldest first. */
export async function listAudit(
  db: Kysely<DB>,
  linkId: LinkId,
): Promise<{ at: Date; subject: string; action: string; details: Json }[]> {
  return await db
    .selectFrom("audit")
    .select(["at", "subject", "action", "details"])
    .where("link_id", "=", linkId)
    .orderBy("id")
    .execute();
}
