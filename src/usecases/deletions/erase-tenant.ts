import { keyOf, listTombstonesOf } from "../../documents/tombstones.ts";
import { Refusal } from "../../domain/refusal.ts";
import type { TenantTombstone } from "../../domain/tombstone.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import { abandonErasure, beginErasure, findErasure, hasRows } from "../../store/upkeep/tenant-erasure.ts";
import type { Uses } from "../capabilities.ts";
import { leaveTombstone } from "../leave-tombstone.ts";
import { endLink } from "../linking/end-link.ts";
import { type ErasedData, eraseData } from "./erase-data.ts";

type Deps = Uses<"adminProfiles" | "db" | "documents" | "log" | "now" | "openAccount" | "publicUrl">;

export type TenantErasure =
  | (ErasedData & { readonly kind: "erased"; readonly hadLink: boolean })
  | { readonly kind: "unknown-tenant" }
  /** Nothing was erased. */
  | { readonly kind: "not-now"; readonly reason: "docusign-unavailable" | "document-store-unavailable" };

/**
 * Erases everything of a tenant: link, contracts, their documents and tombstones, events, ledger, feed and sessions. One
 * tombstone keeps its id and the moment; the id may be used again. A repeated call continues an interrupted one. Does
 * nothing if DocuSign cannot be reached to remove the link's configurations, unless `force` skips that.
 */
export async function eraseTenant(deps: Deps, tenant: string, force: boolean): Promise<TenantErasure> {
  const tombstone: TenantTombstone = { kind: "tenant", tenant, deletedAt: deps.now() };
  if (!(await hasTraces(deps, tenant))) return { kind: "unknown-tenant" };
  try {
    const hadLink = await endCurrent(deps, tenant, force);
    await announceErasure(deps, tombstone);
    return { kind: "erased", hadLink, ...(await eraseData(deps, tenant, tombstone.deletedAt)) };
  } catch (error) {
    const reason = error instanceof Refusal ? NOT_NOW[error.code] : undefined;
    if (reason === undefined) throw error;
    return { kind: "not-now", reason };
  }
}

const NOT_NOW: Partial<
  Record<Refusal["code"], Extract<TenantErasure, { readonly kind: "not-now" }>["reason"]>
> = { "deletion-failed": "docusign-unavailable", unavailable: "document-store-unavailable" };

/** An interrupted erasure may have left tombstones only. */
async function hasTraces({ db, documents }: Uses<"db" | "documents">, tenant: string): Promise<boolean> {
  if (await hasRows(db, tenant)) return true;
  const erasure = await findErasure(db, tenant);
  const own = erasure === null ? null : keyOf({ kind: "tenant", tenant, deletedAt: erasure.begunAt });
  const others = (await listTombstonesOf(documents, tenant)).filter((key) => key !== own);
  return others.length > 0 || (erasure !== null && erasure.erasedAt === null);
}

async function endCurrent(deps: Deps, tenant: string, force: boolean): Promise<boolean> {
  if ((await findCurrentLink(deps.db, tenant)) === null) return false;
  await endLink(deps, { tenant, subject: "operator" }, force ? "no-call" : "removal");
  return true;
}

/** The note in the database comes first: it differs from an erasure that a database has lost. */
async function announceErasure(deps: Uses<"db" | "documents">, tombstone: TenantTombstone): Promise<void> {
  const before = await findErasure(deps.db, tombstone.tenant);
  await beginErasure(deps.db, tombstone.tenant, tombstone.deletedAt);
  try {
    await leaveTombstone(deps, tombstone);
  } catch (error) {
    await abandonErasure(deps.db, tombstone.tenant, before);
    throw error;
  }
}
