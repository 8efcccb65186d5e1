import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

/** Returns the `base_uri` of the link's account; null if the link has ended. */
export async function findAddress(db: Kysely<DB>, id: LinkId): Promise<string | null> {
  const row = await db
    .selectFrom("link")
    .select("base_uri")
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .executeTakeFirst();
  return row?.base_uri ?? null;
}

/** Records that DocuSign is asked for the address now. Returns false, recording nothing, if it was asked since `askedBefore`. */
export async function claimAddressQuestion(
  db: Kysely<DB>,
  id: LinkId,
  { now, askedBefore }: { now: Date; askedBefore: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("link")
    .set({ address_asked_at: now })
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .where((is) => is.or([is("address_asked_at", "is", null), is("address_asked_at", "<=", askedBefore)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Stores the account's new address. Active Connect configurations become pending: the new site may not have them. */
export async function moveAccount(db: Kysely<DB>, id: LinkId, baseUri: string): Promise<void> {
  await db
    .updateTable("link")
    .set({
      base_uri: baseUri,
      connect_sent: sql`case connect_sent when 'active' then 'pending' else connect_sent end`,
      connect_received: sql`case connect_received when 'active' then 'pending' else connect_received end`,
    })
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .execute();
}
