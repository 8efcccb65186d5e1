import { type Kysely, type Selectable, sql } from "kysely";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";

export type StoredBytes = {
  readonly documentId: string;
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** Returns where the bytes of the newest contract lie, of those that can be read; null if there is none. */
export async function findNewestDocument(db: Kysely<DB>): Promise<Pick<StoredBytes, "key" | "bytes"> | null> {
  // The feed has them in the order of their imports, without another index.
  const row = await db
    .selectFrom("change")
    .innerJoin("contract", "contract.id", "change.contract_id")
    .select(["contract.document_key as key", "contract.bytes"])
    .where("change.type", "=", "imported")
    .where("contract.deleted_at", "is", null)
    .orderBy("change.id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { key: row.key, bytes: Number(row.bytes) };
}

/** Remembers that a document lies in the store. Gives what is remembered: where that is of an earlier import, it stays. */
export async function recordStoredDocument(
  db: Kysely<DB>,
  entry: { tenant: string; envelopeId: EnvelopeId; now: Date } & StoredBytes,
): Promise<StoredBytes> {
  const row = await db
    .insertInto("stored_document")
    .values({
      tenant: entry.tenant,
      envelope_id: entry.envelopeId,
      document_id: entry.documentId,
      key: entry.key,
      bytes: entry.bytes,
      sha256: entry.sha256,
      stored_at: entry.now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["tenant", "envelope_id", "document_id"])
        .doUpdateSet({ key: sql`stored_document.key` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toStoredBytes(row);
}

function toStoredBytes(row: Selectable<DB["stored_document"]>): StoredBytes {
  return { documentId: row.document_id, key: row.key, bytes: Number(row.bytes), sha256: row.sha256 };
}
