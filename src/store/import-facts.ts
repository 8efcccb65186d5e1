import { CompiledQuery, type Kysely } from "kysely";
import { z } from "zod";
import type { Forwarding } from "../domain/envelope.ts";
import { type ContractId, type EnvelopeId, parseUuid, type UserId } from "../domain/identifiers.ts";
import { required } from "./rows.ts";
import type { DB } from "./schema.ts";

/** The facts about an envelope, beside its ledger entry and DocuSign's answer, that decide how it is imported. */
export type ImportFacts = {
  /** In order of arrival. */
  readonly forwardings: readonly Forwarding[];
  /** Documents that are already stored, by id: a retry must not download them again. */
  readonly stored: ReadonlyMap<string, StoredFact>;
  /** Documents whose contracts were deleted before the database was set back, by id. */
  readonly lost: ReadonlyMap<string, { readonly id: ContractId; readonly deletedAt: Date }>;
  /** Starts of the tenant's newest blocks of contracts, the newest first. The last one may lie ahead. */
  readonly blocks: readonly Date[];
};

type StoredFact = {
  readonly documentId: string;
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** Selects the facts as one value, in SQL. `readImportFacts` reads it. */
export function selectImportFacts(tenant: string, envelopeId: string): string {
  const own = `tenant = ${tenant} and envelope_id = ${envelopeId}`;
  return `json_build_object(
    'forwardings', (select json_agg(forwarding order by event_id, position) from forwarding where ${own}),
    'stored', (select json_agg(stored_document) from stored_document where ${own}),
    'lost', (select json_agg(lost_deletion) from lost_deletion where ${own}),
    'blocks', (select json_agg(starts_at) from (
      select starts_at from contract_block where tenant = ${tenant} order by starts_at desc limit 2
    ) as newest)
  )`;
}

const FACTS = `select ${selectImportFacts("$1::text", "$2::uuid")} as facts`;

export async function findImportFacts(
  db: Kysely<DB>,
  tenant: string,
  envelopeId: EnvelopeId,
): Promise<ImportFacts> {
  const query = CompiledQuery.raw(FACTS, [tenant, envelopeId]);
  const { rows } = await db.executeQuery<{ facts: unknown }>(query);
  return readImportFacts(rows[0]?.facts);
}

export function readImportFacts(raw: unknown): ImportFacts {
  const { forwardings, stored, lost, blocks } = found.parse(raw);
  return {
    forwardings: (forwardings ?? []).map((row) => ({
      from: person(row.from_recipient_id, row.from_user_id, row.from_email),
      to: person(row.to_recipient_id, row.to_user_id, row.to_email),
    })),
    stored: new Map(
      (stored ?? []).map(({ document_id: documentId, key, bytes, sha256 }) => [
        documentId,
        { documentId, key, bytes, sha256 },
      ]),
    ),
    lost: new Map(
      (lost ?? []).map((row) => [
        row.document_id,
        { id: required(parseUuid<ContractId>(row.id)), deletedAt: row.deleted_at },
      ]),
    ),
    blocks: blocks ?? [],
  };
}

function person(recipientId: string | null, userId: string | null, email: string | null): Forwarding["from"] {
  return { recipientId, userId: parseUuid<UserId>(userId), email };
}

const text = z.string().nullable();
const found = z.object({
  forwardings: z
    .array(
      z.object({
        from_recipient_id: text,
        from_user_id: text,
        from_email: text,
        to_recipient_id: text,
        to_user_id: text,
        to_email: text,
      }),
    )
    .nullable(),
  stored: z
    .array(z.object({ document_id: z.string(), key: z.string(), bytes: z.number(), sha256: z.string() }))
    .nullable(),
  lost: z
    .array(z.object({ id: z.string(), document_id: z.string(), deleted_at: z.coerce.date() }))
    .nullable(),
  blocks: z.array(z.coerce.date()).nullable(),
});
