import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import { z } from "zod";
import type { Contact, RecipientContact } from "../../domain/envelope.ts";
import type { AccountId, ContractId, EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";
import { PLANNED_ONCE } from "../statement-names.ts";
import { type Certificate, withCertificates } from "./certificates.ts";
import { type Block, searchColumns } from "./search-keys.ts";

/** A contract as cabinet services read it (service.md); dates are `YYYY-MM-DD`. */
export type Contract = {
  readonly id: ContractId;
  readonly tenant: string;
  readonly groupId: string;
  readonly fileName: string;
  readonly concludedOn: string;
  readonly importedAt: Date;
  readonly pages: number | null;
  readonly bytes: number;
  readonly sha256: string;
  /** All contracts of an envelope share it; null if there is none. */
  readonly certificate: Certificate | null;
  readonly source: {
    readonly envelopeId: EnvelopeId;
    readonly documentId: string;
    readonly accountId: AccountId;
    readonly completedAt: Date;
    readonly subject: string | null;
    /** Place among the envelope's content documents, from 1; null if unknown, as in what follows. */
    readonly position: number | null;
    readonly sender: Contact | null;
    readonly recipients: readonly RecipientContact[] | null;
  };
};

/** Includes what only the service itself needs. */
export type StoredContract = Contract & { readonly documentKey: string; readonly deletedAt: Date | null };

export type NewContract = Contract & {
  readonly linkId: LinkId;
  readonly documentKey: string;
  /** Set if the contract was deleted before the database was set back: it has no bytes. */
  readonly deletedAt?: Date | null;
};

/** Converts a new contract to a row of the table. */
export function toRow(
  { deletedAt = null, source, ...contract }: NewContract,
  block: Block,
): Insertable<DB["contract"]> {
  return {
    id: contract.id,
    tenant: contract.tenant,
    envelope_id: source.envelopeId,
    document_id: source.documentId,
    link_id: contract.linkId,
    group_id: contract.groupId,
    file_name: contract.fileName,
    concluded_on: contract.concludedOn,
    completed_at: source.completedAt,
    account_id: source.accountId,
    subject: source.subject,
    pages: contract.pages,
    bytes: contract.bytes,
    sha256: contract.sha256,
    document_key: contract.documentKey,
    imported_at: contract.importedAt,
    deleted_at: deletedAt,
    erased_at: deletedAt,
    tombstone_at: deletedAt,
    position: source.position,
    sender: json(source.sender),
    recipients: json(source.recipients),
    ...(deletedAt === null ? searchColumns({ ...contract, source }, block) : NOT_SEARCHABLE),
  };
}

const NOT_SEARCHABLE = { search: null, search_keys: null };

/** Returns a contract of the tenant, or of any tenant if null, including deleted ones. Null if there is none. */
export async function findContract(
  db: Kysely<DB>,
  tenant: string | null,
  id: ContractId,
): Promise<StoredContract | null> {
  const found = selectContracts(db).select(certificateOf).modifyFront(PLANNED_ONCE).where("id", "=", id);
  // With `=`, connections that plan while there are few contracts would read all those of the tenant.
  const owned = tenant === null ? found : found.where("tenant", "is not distinct from", tenant);
  const row = await owned.executeTakeFirst();
  return row === undefined ? null : { ...toContract(row), certificate: row.certificate };
}

/** Lists all contracts of an envelope, including deleted ones, in the order of its documents. */
export async function contractsOfEnvelope(
  db: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
): Promise<StoredContract[]> {
  return await contractsOfEnvelopes(db, tenant, [envelopeId]);
}

/** As `contractsOfEnvelope`, of several envelopes. Those of one envelope are in the order of its documents. */
export async function contractsOfEnvelopes(
  db: Kysely<DB>,
  tenant: string,
  envelopeIds: readonly EnvelopeId[],
): Promise<StoredContract[]> {
  const rows = await selectContracts(db)
    .where("tenant", "=", tenant)
    .where("envelope_id", "=", sql<string>`any(${envelopeIds}::uuid[])`)
    .orderBy("imported_at")
    .orderBy("position")
    .orderBy("document_id")
    .execute();
  return await withCertificates(db, rows.map(toContract));
}

/** Marks a contract deleted. Returns false if it already was, or if the tenant has no such contract. */
export async function markContractDeleted(
  tx: Kysely<DB>,
  deletion: { tenant: string; id: ContractId; by: string | null; at: Date },
): Promise<boolean> {
  const result = await tx
    .updateTable("contract")
    .set({ deleted_at: deletion.at, deleted_by: deletion.by, ...NOT_SEARCHABLE })
    .where("tenant", "=", deletion.tenant)
    .where("id", "=", deletion.id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Lists deleted contracts whose bytes are still in the document store. */
export async function listToErase(
  db: Kysely<DB>,
  limit: number,
): Promise<{ id: string; documentKey: string }[]> {
  return await db
    .selectFrom("contract")
    .select(["id", "document_key as documentKey"])
    .where("deleted_at", "is not", null)
    .where("erased_at", "is", null)
    .orderBy("deleted_at")
    .limit(limit)
    .execute();
}

/** Records that a deleted contract's bytes are erased, and removes the record of the stored document. */
export async function markErased(db: Kysely<DB>, id: string, at: Date): Promise<void> {
  await db
    .with("erased", (tx) =>
      tx.updateTable("contract").set({ erased_at: at }).where("id", "=", id).returning("document_key"),
    )
    .deleteFrom("stored_document")
    .where("key", "in", (select) => select.selectFrom("erased").select("document_key"))
    .execute();
}

/** A contract that can be read, and where its bytes lie. */
export type ReadableContract = {
  readonly id: ContractId;
  readonly tenant: string;
  readonly envelopeId: EnvelopeId;
  readonly documentId: string;
  readonly documentKey: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** Lists contracts of a tenant, or of all, in the order of their ids. */
export async function listReadable(
  db: Kysely<DB>,
  page: { tenant: string | null; after: ContractId | null; limit: number },
): Promise<ReadableContract[]> {
  let query = db
    .selectFrom("contract")
    .select(["id", "tenant", "envelope_id", "document_id", "document_key", "bytes", "sha256"])
    .where("deleted_at", "is", null);
  if (page.tenant !== null) query = query.where("tenant", "=", page.tenant);
  if (page.after !== null) query = query.where("id", ">", page.after);
  const rows = await query.orderBy("id").limit(page.limit).execute();
  return rows.map((row) => ({
    id: required(parseUuid<ContractId>(row.id)),
    tenant: row.tenant,
    envelopeId: required(parseUuid<EnvelopeId>(row.envelope_id)),
    documentId: row.document_id,
    documentKey: row.document_key,
    bytes: Number(row.bytes),
    sha256: row.sha256,
  }));
}

/** Counts the contracts that `listReadable` lists. */
export async function countReadable(db: Kysely<DB>, tenant: string | null): Promise<number> {
  let query = db
    .selectFrom("contract")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("deleted_at", "is", null);
  if (tenant !== null) query = query.where("tenant", "=", tenant);
  return Number((await query.executeTakeFirstOrThrow()).count);
}

/** Records that the bytes of a contract lie under a different key. Returns false if it was deleted meanwhile. */
export async function moveDocument(
  db: Kysely<DB>,
  { id, documentKey }: Pick<ReadableContract, "id" | "documentKey">,
  key: string,
): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    const result = await tx
      .updateTable("contract")
      .set({ document_key: key })
      .where("id", "=", id)
      .where("document_key", "=", documentKey)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
    await tx.updateTable("stored_document").set({ key }).where("key", "=", documentKey).execute();
    return result.numUpdatedRows > 0n;
  });
}

/** The columns that `toContract` reads. */
export const COLUMNS = [
  "id",
  "tenant",
  "group_id",
  "file_name",
  "concluded_on",
  "imported_at",
  "pages",
  "bytes",
  "sha256",
  "envelope_id",
  "document_id",
  "account_id",
  "completed_at",
  "subject",
  "position",
  "sender",
  "recipients",
  "document_key",
  "deleted_at",
] as const;

export type ContractRow = Pick<Selectable<DB["contract"]>, (typeof COLUMNS)[number]>;

function selectContracts(db: Kysely<DB>) {
  return db.selectFrom("contract").select(COLUMNS);
}

/** In the same statement, for readers of one contract. */
const certificateOf = sql<Certificate | null>`(
  select json_build_object('bytes', certificate.bytes, 'sha256', certificate.sha256) from certificate
  where certificate.tenant = contract.tenant and certificate.envelope_id = contract.envelope_id
    and certificate.deleted_at is null
)`.as("certificate");

/** Converts a row of the table to a contract, without the certificate of its envelope. */
export function toContract(row: ContractRow): StoredContract {
  return {
    id: required(parseUuid<ContractId>(row.id)),
    tenant: row.tenant,
    groupId: row.group_id,
    fileName: row.file_name,
    concludedOn: row.concluded_on,
    importedAt: row.imported_at,
    pages: row.pages,
    bytes: Number(row.bytes),
    sha256: row.sha256,
    certificate: null,
    source: {
      envelopeId: required(parseUuid<EnvelopeId>(row.envelope_id)),
      documentId: row.document_id,
      accountId: required(parseUuid<AccountId>(row.account_id)),
      completedAt: row.completed_at,
      subject: row.subject,
      position: row.position,
      sender: CONTACT.nullable().parse(row.sender),
      recipients: RECIPIENTS.nullable().parse(row.recipients),
    },
    documentKey: row.document_key,
    deletedAt: row.deleted_at,
  };
}

const CONTACT = z.object({ name: z.string().nullable(), email: z.string().nullable() });
const RECIPIENTS = z.array(
  CONTACT.extend({ role: z.string(), completedAt: z.coerce.date().nullable() }).readonly(),
);

/** A `jsonb` value; SQL's null for null. */
export function json(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
