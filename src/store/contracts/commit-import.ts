import { CompiledQuery, type Kysely } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";
import { toSnapshot } from "./changes.ts";
import { type NewContract, toRow } from "./contracts.ts";
import type { Block } from "./search-keys.ts";
import type { StoredBytes } from "./stored-documents.ts";

export type ImportCommit = {
  readonly tenant: string;
  readonly envelopeId: EnvelopeId;
  readonly linkId: LinkId;
  /** The group of the contracts. */
  readonly groupId: string;
  readonly reason: string;
  readonly completedAt: Date;
  readonly facts: object;
  readonly now: Date;
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
 * Commits an import in one statement: its contracts, their changes and the ledger entry, if the link and its group still
 * allow it. Both stay as they are until the commit. Records the documents in any case. An existing contract of the same
 * envelope and document, deleted or not, stays unchanged. Returns the contracts that are new.
 */
export async function commitImport(
  db: Kysely<DB>,
  { contracts, unrecorded, ...commit }: ImportCommit,
): Promise<{ verdict: ImportVerdict; stored: NewContract[] }> {
  const rows = contracts.map((contract) => ({
    ...toRow(contract, commit.block),
    snapshot: toSnapshot(contract),
  }));
  const { tenant, envelopeId, linkId, groupId, now } = commit;
  const decision = [commit.reason, commit.completedAt, JSON.stringify(commit.facts)];
  const values = [tenant, envelopeId, linkId, groupId, now, ...decision];
  const query = CompiledQuery.raw(STATEMENT, [...values, JSON.stringify(rows), JSON.stringify(unrecorded)]);
  const { rows: answer } = await db.executeQuery<{ verdict: ImportVerdict; stored: string[] | null }>(query);
  const { verdict, stored } = required(answer[0]);
  const added = new Set(stored);
  return { verdict, stored: contracts.filter(({ id }) => added.has(id)) };
}

/**
 * $1: tenant, $2: envelope, $3: link, $4: group, $5: now, $6: reason, $7: completion, $8: facts, $9: contracts,
 * $10: documents to record. A paused link is stored as an active one.
 */
const STATEMENT = `
  with current as materialized (
    select state, paused_at, tenant, group_id from link where id = $3 for share
  ), present as materialized (
    select id from cabinet_group
    where tenant = (select tenant from current) and id = (select group_id from current) and deleted_at is null
    for share
  ), recorded as (
    insert into stored_document (tenant, envelope_id, document_id, key, bytes, sha256, stored_at)
    select $1::text, $2::uuid, "documentId", key, bytes, sha256, $5::timestamptz
    from json_to_recordset($10) as t ("documentId" text, key text, bytes bigint, sha256 text)
    on conflict do nothing returning 1
  ), decided as materialized (
    select case
      when not exists (select from current where state <> 'ended') then 'link-ended'
      when exists (select from current where state = 'active' and paused_at is not null) then 'paused'
      when not exists (select from present) then 'group-missing'
      when not exists (select from current where group_id = $4) then 'group-changed'
      when (select count(*) from recorded) < json_array_length($10) then 'recorded-meanwhile'
      else 'imported' end as verdict
  ), input as materialized (
    select t.* from decided, json_to_recordset($9) as t (
      id uuid, document_id text, file_name text, concluded_on date, account_id uuid, subject text, pages int,
      bytes bigint, sha256 text, document_key text, deleted_at timestamptz, position int, sender text,
      recipients text, search text, search_keys int[], snapshot jsonb
    ) where verdict = 'imported'
  ), stored as (
    insert into contract (
      id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on, completed_at, account_id,
      subject, pages, bytes, sha256, document_key, imported_at, deleted_at, erased_at, tombstone_at, position, sender,
      recipients, search, search_keys
    )
    select id, $1::text, $2::uuid, document_id, $3::uuid, $4::text, file_name, concluded_on, $7::timestamptz, account_id,
      subject, pages, bytes, sha256, document_key, $5::timestamptz, deleted_at, deleted_at, deleted_at, position,
      sender::jsonb, recipients::jsonb, search, search_keys
    from input order by position
    on conflict (tenant, envelope_id, document_id) do nothing returning id
  ), told as (
    insert into change (tenant, type, contract_id, contract, recorded_at)
    select $1::text, 'imported', id, snapshot, $5::timestamptz from stored join input using (id)
    where deleted_at is null order by position
    on conflict (contract_id, type) do nothing
  ), settled as (
    update envelope set link_id = $3::uuid, state = 'imported', reason = $6, completed_at = $7::timestamptz,
      facts = $8::jsonb, decided_at = $5::timestamptz, last_error = null, listing = null, waiting_until = null
    from decided
    where verdict = 'imported' and envelope.tenant = $1 and envelope_id = $2 and state in ('waiting', 'excluded')
  )
  select verdict, (select array_agg(id) from stored) as stored from decided`;
