import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB, Json } from "../schema.ts";

export type AuditAction = "linked" | "repaired" | "edited" | "approved" | "paused" | "resumed" | "ended";

/** A person of the cabinet. */
export type Person = {
  /** `sub` of the token or session. */
  readonly subject: string;
  /** Known only on the page. */
  readonly name?: string | null;
};

export type AuditEntry = {
  readonly tenant: string;
  readonly linkId: LinkId;
  readonly at: Date;
  readonly by: Person;
  readonly action: AuditAction;
  readonly details: { readonly [name: string]: Json };
};

export type AuditTrail = readonly {
  readonly at: Date;
  readonly subject: string;
  readonly name: string | null;
  readonly action: string;
  readonly details: Json;
}[];

/** Records who did what to a link, in the transaction that does it. */
export async function recordAudit(tx: Kysely<DB>, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto("audit")
    .values({
      tenant: entry.tenant,
      link_id: entry.linkId,
      at: entry.at,
      subject: entry.by.subject,
      action: entry.action,
      details: JSON.stringify({ ...entry.details, ...(entry.by.name != null && { name: entry.by.name }) }),
    })
    .execute();
}

/** Lists the audit trail of a link, oldest first. */
export async function listAudit(db: Kysely<DB>, linkId: LinkId): Promise<AuditTrail> {
  return await db
    .selectFrom("audit")
    .select(["at", "subject", "action", "details", sql<string | null>`details ->> 'name'`.as("name")])
    .where("link_id", "=", linkId)
    .orderBy("id")
    .execute();
}
