import type { ContractTombstone, LinkTombstone, TenantTombstone, Tombstone } from "../../domain/tombstone.ts";
import { findErasure } from "../../store/upkeep/tenant-erasure.ts";
import { findContractOfTombstone, findEndOfLink } from "../../store/upkeep/tombstones.ts";
import type { Uses } from "../capabilities.ts";

export type Missing = {
  readonly tombstone: Tombstone;
  /** True if the database has lost the deletion, false if the deletion was never committed. */
  readonly isLost: boolean;
};

/**
 * Returns what the database lacks of a deletion; null if it knows it. Each deletion notes its moment in the database
 * before its tombstone is written, so a database without the note was set back.
 */
export async function missingDeletion(deps: Uses<"db">, tombstone: Tombstone): Promise<Missing | null> {
  const erasure = await findErasure(deps.db, tombstone.tenant);
  if (tombstone.kind === "tenant") return missingErasure(tombstone, erasure);
  // An erased tenant's tombstones go too, but perhaps not yet.
  if (erasure !== null && erasure.begunAt >= tombstone.deletedAt) return null;
  return tombstone.kind === "link"
    ? await missingEnd(deps, tombstone)
    : await missingContract(deps, tombstone);
}

function missingErasure(
  tombstone: TenantTombstone,
  erasure: Awaited<ReturnType<typeof findErasure>>,
): Missing | null {
  if (erasure === null || erasure.begunAt < tombstone.deletedAt) return { tombstone, isLost: true };
  return erasure.erasedAt === null ? { tombstone, isLost: false } : null;
}

async function missingEnd({ db }: Uses<"db">, tombstone: LinkTombstone): Promise<Missing | null> {
  const link = await findEndOfLink(db, tombstone.id);
  if (link?.state === "ended") return null;
  const isNoted = link !== null && link.endingAt !== null && link.endingAt >= tombstone.deletedAt;
  return { tombstone, isLost: !isNoted };
}

async function missingContract({ db }: Uses<"db">, tombstone: ContractTombstone): Promise<Missing | null> {
  const contract = await findContractOfTombstone(db, tombstone);
  if (contract !== null && contract.deletedAt !== null) return null;
  return { tombstone, isLost: contract === null || contract.tombstoneAt === null };
}
