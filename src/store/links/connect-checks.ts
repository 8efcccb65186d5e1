import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

/**
 * Why a configuration is off. DocuSign names the `person` who switched it off, or somebody `paused` it. DocuSign disabled
 * it by itself: `docusign` if it says so, `deliveries-failed` if only the failures show it.
 */
export type OffReason = "person" | "paused" | "docusign" | "deliveries-failed";

/** The last look at one configuration. `off` is null if it is on, or may be a reason of a later version. */
export type ConnectCheck = {
  readonly off: string | null;
  /** When torikomi last switched it on again. */
  readonly enabledAt: Date | null;
};

export type ConnectChecks = { readonly sent: ConnectCheck; readonly received: ConnectCheck };

export async function findConnectChecks(db: Kysely<DB>, id: LinkId): Promise<ConnectChecks> {
  const row = await db.selectFrom("link").selectAll().where("id", "=", id).executeTakeFirst();
  return {
    sent: { off: row?.connect_sent_off ?? null, enabledAt: row?.connect_sent_enabled_at ?? null },
    received: { off: row?.connect_received_off ?? null, enabledAt: row?.connect_received_enabled_at ?? null },
  };
}

/** Stores the checks, and since when a configuration is off. */
export async function storeConnectChecks(
  db: Kysely<DB>,
  id: LinkId,
  { sent, received }: ConnectChecks,
  now: Date,
): Promise<void> {
  const isOn = sent.off === null && received.off === null;
  await db
    .updateTable("link")
    .set({
      connect_sent_off: sent.off,
      connect_sent_enabled_at: sent.enabledAt,
      connect_received_off: received.off,
      connect_received_enabled_at: received.enabledAt,
      connect_off_since: isOn ? null : sql<Date>`coalesce(connect_off_since, ${now}::timestamptz)`,
    })
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .execute();
}
