import { CompiledQuery, type Kysely } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";
import { toSnapshot } from "./changes.ts";
import { type NewContract, toRow } from "./contracts.ts";
import type { Block } from "./search-keys.ts";
import type { StoredBytes } from "./stored-documents.ts";

/** Imports of different envelopes of a link. */
export type ImportCommit = {
  readonly tenant: string;
  readonly linkId: LinkId;
  /** The group of the contracts. */
  readonly groupId: string;
  readonly now: Date;
  readonly envelopes: readonly ImportedEnvelope[];
};

export type ImportedEnvelope = {
  readonly envelopeId: EnvelopeId;
  readonly reason: string;
  readonly completedAt: Date;
  readonly facts: object;
  readonly block: Block;
  readonly contracts: readonly NewContract[];
  /** Documents that lie in the store and are not recorded yet. */
  readonly unrecorded: readonly StoredBytes[];
};

/**
 * `imported`, or why nothing was: the link has ended or is paused, its group is missing or another one, or a document was
 * recorded meanwhile by another import.
 */
export type ImportVerdict =
  | "imported"
  | "link-ended"
  | "paused"
  | "group-missing"
  | "group-changed"
  | "recorded-meanwhile";

/**
 * Commits imports in one statement: their contracts, the changes and the ledger entries, if the link and its group still
 * allow it. Both stay as they are until the commit. All imports are committed, or none. Records the documents in any case.
 * An existing contract of the same envelope and document, deleted or not, stays unchanged. Publishes the changes too,
 * unless others wait for their position or are being published. Returns the ids of the contracts that are new.
 */
export async function commitImports(
  db: Kysely<DB>,
  { tenant, linkId, groupId, now, envelopes }: ImportCommit,
): Promise<{ verdict: ImportVerdict; stored: ReadonlySet<string> }> {
  const decisions = envelopes.map(({ envelopeId, reason, completedAt, facts }) => ({
    envelopeId,
    reason,
    completedAt,
    facts,
  }));
  const contracts = envelopes.flatMap((one) =>
    one.contracts.map((contract) => ({ ...toRow(contract, one.block), snapshot: toSnapshot(contract) })),
  );
  const documents = envelopes.flatMap(({ envelopeId, unrecorded }) =>
    unrecorded.map((document) => ({ envelopeId, ...document })),
  );
  const lists = [decisions, contracts, documents].map((list) => JSON.stringify(list));
  const ids = envelopes.map(({ envelopeId }) => envelopeId);
  const query = CompiledQuery.raw(STATEMENT, [tenant, linkId, groupId, now, ...lists, ids]);
  const { rows: answer } = await db.executeQuery<{ verdict: ImportVerdict; stored: string[] | null }>(query);
  const { verdict, stored } = required(answer[0]);
  return { verdict, stored: new Set(stored) };
}

/**
 * $1: tenant, $2: link, $3: group, $4: now, $5: decisions, $6: contracts, $7: documents to record, $8: envelopes, which
 * keep every plan on their rows. A paused link is stored as an active one. Ledger entries are locked in the order in which
 * reconciliations lock them, and before positions of the feed are reserved, which nobody else can publish meanwhile.
 */
const STATEMENT = `
  with current as materialized (
    select state, paused_at, tenant, group_id from link where id = $2 for share
  ), present as materialized (
    select id from cabinet_group
    where tenant = (select tenant from current) and id = (select group_id from current) and deleted_at is null
    for share
  ), recorded as (
    insert into stored_document (tenant, envelope_id, document_id, key, bytes, sha256, stored_at)
    select $1::text, "envelopeId", "documentId", key, bytes, sha256, $4::timestamptz
    from json_to_recordset($7) as t ("envelopeId" uuid, "documentId" text, key text, bytes bigint, sha256 text)
    on conflict do nothing returning 1
  ), decided as materialized (
    select case
      when not exists (select from current where state <> 'ended') then 'link-ended'
      when exists (select from current where state = 'active' and paused_at is not null) then 'paused'
      when not exists (select from present) then 'group-missing'
      when not exists (select from current where group_id = $3) then 'group-changed'
      when (select count(*) from recorded) < json_array_length($7) then 'recorded-meanwhile'
      else 'imported' end as verdict
  ), input as materialized (
    select t.* from decided, json_to_recordset($6) as t (
      id uuid, envelope_id uuid, document_id text, file_name text, concluded_on date, completed_at timestamptz,
      account_id uuid, subject text, pages int, bytes bigint, sha256 text, document_key text, deleted_at timestamptz,
      position int, sender text, recipients text, search text, search_keys int[], snapshot jsonb
    ) where verdict = 'imported'
  ), stored as (
    insert into contract (
      id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on, completed_at, account_id,
      subject, pages, bytes, sha256, document_key, imported_at, deleted_at, erased_at, tombstone_at, position, sender,
      recipients, search, search_keys
    )
    select id, $1::text, envelope_id, document_id, $2::uuid, $3::text, file_name, concluded_on, completed_at, account_id,
      subject, pages, bytes, sha256, document_key, $4::timestamptz, deleted_at, deleted_at, deleted_at, position,
      sender::jsonb, recipients::jsonb, search, search_keys
    from input order by envelope_id, position
    on conflict (tenant, envelope_id, document_id) do nothing returning id
  ), settled as (
    update envelope set link_id = $2::uuid, state = 'imported', reason = decision.reason,
      completed_at = decision."completedAt", facts = decision.facts, decided_at = $4::timestamptz, last_error = null,
      listing = null, waiting_until = null
    from decided, (
      select * from json_to_recordset($5) as t (
        "envelopeId" uuid, reason text, "completedAt" timestamptz, facts jsonb
      ) order by "envelopeId"
    ) as decision
    where verdict = 'imported' and tenant = $1 and envelope_id = any($8::uuid[]) and envelope_id = "envelopeId"
      and state in ('waiting', 'excluded')
    returning 1
  ), news as (
    select id, snapshot, row_number() over (order by envelope_id, position) as place
    from stored join input using (id) where deleted_at is null
  ), reserved as materialized (
    select case when (select count(*) from settled) > 0
      then reserve_positions((select count(*)::int from news)) end as first
  ), told as (
    insert into change (tenant, type, contract_id, contract, recorded_at, sequence)
    select $1::text, 'imported', id, snapshot, $4::timestamptz, first + place - 1
    from news, reserved order by place
    on conflict (contract_id, type) do nothing
  )
  select verdict, (select array_agg(id) from stored) as stored from decided`;
