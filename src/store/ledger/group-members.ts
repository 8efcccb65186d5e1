import { type Kysely, sql } from "kysely";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import type { DB, Json } from "../schema.ts";

/** Keeps the members of the envelope's signing groups, unless it has some already. Returns those that it then has. */
export async function keepGroupMembers(
  db: Kysely<DB>,
  { tenant, envelopeId }: { tenant: string; envelopeId: EnvelopeId },
  members: readonly object[],
): Promise<Json> {
  const row = await db
    .updateTable("envelope")
    .set({ group_members: sql`coalesce(group_members, ${JSON.stringify(members)}::jsonb)` })
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .returning("group_members")
    .executeTakeFirst();
  return row?.group_members ?? [];
}
