import { type Kysely, sql } from "kysely";
import type { ContractId, EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import type { ContractTombstone, LinkTombstone } from "../../domain/tombstone.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";

/**
 * Returns the ids of contracts and links that this database does not know to be deleted: they live here, or they have no
 * row and no lost deletion.
 */
export async function listUnknownDeletions(
  db: Kysely<DB>,
  kind: "contract" | "link",
  ids: readonly string[],
): Promise<Set<string>> {
  const deleted =
    kind === "contract"
      ? sql`select from contract where contract.id = listed.id and contract.deleted_at is not null`
      : sql`select from link where link.id = listed.id and link.state = 'ended'`;
  const { rows } = await sql<{ id: string }>`
    select listed.id from unnest(${ids}::uuid[]) as listed (id)
    where not exists (${deleted})
      and not exists (select from lost_deletion where lost_deletion.id = listed.id)`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** The row of the contract that a tombstone names; a contract that was imported again may have another id. */
export async function findContractOfTombstone(
  db: Kysely<DB>,
  { tenant, envelopeId, documentId }: ContractTombstone,
): Promise<{ id: ContractId; deletedAt: Date | null; tombstoneAt: Date | null } | null> {
  const row = await db
    .selectFrom("contract")
    .select(["id", "deleted_at", "tombstone_at"])
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .where("document_id", "=", documentId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    id: required(parseUuid<ContractId>(row.id)),
    deletedAt: row.deleted_at,
    tombstoneAt: row.tombstone_at,
  };
}

/**
 * Notes when the tombstone of a contract that is not deleted is written. Set before the deletion, so that a deletion whose
 * commit failed differs from one that the database has lost. Null takes the note back.
 */
export async function noteTombstone(db: Kysely<DB>, id: ContractId, at: Date | null): Promise<void> {
  await db
    .updateTable("contract")
    .set({ tombstone_at: at })
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .execute();
}

/** Lists deleted contracts that have no tombstone, of which version 0.1 wrote none. */
export async function listWithoutTombstone(db: Kysely<DB>, limit: number): Promise<ContractTombstone[]> {
  const rows = await db
    .selectFrom("contract")
    .select(["id", "tenant", "envelope_id", "document_id", "deleted_at"])
    .where("deleted_at", "is not", null)
    .where("tombstone_at", "is", null)
    .orderBy("deleted_at")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    kind: "contract",
    id: required(parseUuid<ContractId>(row.id)),
    tenant: row.tenant,
    envelopeId: required(parseUuid<EnvelopeId>(row.envelope_id)),
    documentId: row.document_id,
    deletedAt: required(row.deleted_at),
  }));
}

/** Records that deleted contracts have their tombstones. */
export async function markTombstonesWritten(
  db: Kysely<DB>,
  ids: readonly ContractId[],
  at: Date,
): Promise<void> {
  await db
    .updateTable("contract")
    .set({ tombstone_at: at })
    .where("id", "=", sql<string>`any(${ids}::uuid[])`)
    .execute();
}

/** Remembers a deletion that has no row here. Idempotent. */
export async function storeLostDeletion(
  tx: Kysely<DB>,
  tombstone: ContractTombstone | LinkTombstone,
): Promise<void> {
  const { id, kind, tenant, deletedAt } = tombstone;
  const document =
    tombstone.kind === "contract"
      ? { envelope_id: tombstone.envelopeId, document_id: tombstone.documentId }
      : {};
  await tx
    .insertInto("lost_deletion")
    .values({ id, kind, tenant, deleted_at: deletedAt, ...document })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export type LostContract = { readonly id: ContractId; readonly deletedAt: Date };

/** Forgets the lost deletions of contracts that have a row again. */
export async function forgetLostContracts(tx: Kysely<DB>, ids: readonly ContractId[]): Promise<void> {
  await tx
    .deleteFrom("lost_deletion")
    .where("id", "=", sql<string>`any(${ids}::uuid[])`)
    .where("kind", "=", "contract")
    .execute();
}

/** Returns when the link's end was last announced by a tombstone; null if the database has no such link. */
export async function findEndOfLink(
  db: Kysely<DB>,
  id: LinkId,
): Promise<{ state: string; endingAt: Date | null } | null> {
  const row = await db
    .selectFrom("link")
    .select(["state", "ending_at as endingAt"])
    .where("id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

/** Returns the newest moment that the database knows anything of; null if it is empty. */
export async function findNewestMoment(db: Kysely<DB>): Promise<Date | null> {
  const { rows } = await sql<{ newest: Date | null }>`
    select greatest(
      (select recorded_at from change order by id desc limit 1),
      (select received_at from connect_event order by id desc limit 1),
      (select at from audit order by id desc limit 1),
      (select max(greatest(linked_at, ended_at, checked_at, sent_reached, received_reached)) from link)
    ) as newest`.execute(db);
  return rows[0]?.newest ?? null;
}
