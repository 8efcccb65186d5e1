import { type Kysely, type Selectable, sql } from "kysely";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

/** The certificate of completion of an envelope. */
export type Certificate = { readonly bytes: number; readonly sha256: string };

/** A certificate of completion, and where its bytes lie. */
export type StoredCertificate = Certificate & { readonly key: string };

/** Returns the envelope's certificate; null if it has none, or if its last contract was deleted. */
export async function findCertificate(
  db: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
): Promise<StoredCertificate | null> {
  const row = await db
    .selectFrom("certificate")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", envelopeId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return row === undefined ? null : toCertificate(row);
}

type OfEnvelope = {
  readonly tenant: string;
  readonly source: { readonly envelopeId: EnvelopeId };
  readonly certificate: Certificate | null;
};

/** Adds to contracts the certificates of their envelopes. */
export async function withCertificates<Contract extends OfEnvelope>(
  db: Kysely<DB>,
  contracts: readonly Contract[],
): Promise<Contract[]> {
  const [first] = contracts;
  if (first === undefined) return [];
  const rows = await db
    .selectFrom("certificate")
    .select(["envelope_id", "key", "bytes", "sha256"])
    // All contracts of one list have the same tenant.
    .where("tenant", "=", first.tenant)
    .where("envelope_id", "in", [...new Set(contracts.map(({ source }) => source.envelopeId))])
    .where("deleted_at", "is", null)
    .execute();
  const found = new Map(rows.map((row) => [row.envelope_id, toCertificate(row)]));
  return contracts.map((contract) => {
    const stored = found.get(contract.source.envelopeId);
    if (stored === undefined) return contract;
    return { ...contract, certificate: { bytes: stored.bytes, sha256: stored.sha256 } };
  });
}

/** Records a stored certificate. Returns the recorded one, which stays if an earlier import stored it. */
export async function recordCertificate(
  db: Kysely<DB>,
  {
    tenant,
    envelopeId,
    now,
    ...stored
  }: StoredCertificate & { tenant: string; envelopeId: EnvelopeId; now: Date },
): Promise<StoredCertificate> {
  const row = await db
    .insertInto("certificate")
    .values({ tenant, envelope_id: envelopeId, ...stored, stored_at: now })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "envelope_id"]).doUpdateSet({ key: sql`certificate.key` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toCertificate(row);
}

/** Lists the keys of certificates whose last contract was deleted and that are still in the document store. */
export async function listCertificatesToErase(db: Kysely<DB>, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("certificate")
    .select("key")
    .where("deleted_at", "is not", null)
    .where("erased_at", "is", null)
    .orderBy("deleted_at")
    .limit(limit)
    .execute();
  return rows.map(({ key }) => key);
}

/** Records that the bytes of a deleted certificate are erased. */
export async function markCertificateErased(db: Kysely<DB>, key: string, at: Date): Promise<void> {
  await db
    .updateTable("certificate")
    .set({ erased_at: at })
    .where("key", "=", key)
    .where("deleted_at", "is not", null)
    .where("erased_at", "is", null)
    .execute();
}

function toCertificate(
  row: Pick<Selectable<DB["certificate"]>, "key" | "bytes" | "sha256">,
): StoredCertificate {
  return { key: row.key, bytes: Number(row.bytes), sha256: row.sha256 };
}
