import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Contact, RecipientContact } from "../../domain/envelope.ts";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import { COLUMNS, type ContractRow, json, type StoredContract, toContract } from "./contracts.ts";
import { blockOf } from "./search-blocks.ts";
import { type Block, searchColumns } from "./search-keys.ts";

type Row = ContractRow & { readonly block: Block };

/**
 * Fills the columns of the search for contracts that version 0.1 stored, the newest first. Does one small step and returns
 * its size.
 */
export async function makeSearchable(db: Kysely<DB>, limit: number): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const rows = await select(
      tx,
      sql`where search_keys is null and deleted_at is null
        order by imported_at desc limit ${limit} for update skip locked`,
    );
    await update(
      tx,
      rows.map((row) => completed(row)),
    );
    return rows.length;
  });
}

/** Facts about a contract that DocuSign shows with its envelope. */
export type SourceFacts = {
  readonly envelopeId: EnvelopeId;
  readonly documentId: string;
  readonly position: number | null;
  readonly sender: Contact | null;
  readonly recipients: readonly RecipientContact[] | null;
};

/**
 * Adds facts that are missing in contracts of the link, which version 0.1 did not store. Facts that a contract has stay
 * as they are.
 */
export async function completeContracts(
  db: Kysely<DB>,
  { id, tenant }: { id: LinkId; tenant: string },
  found: readonly SourceFacts[],
): Promise<void> {
  if (found.length === 0) return;
  const facts = new Map(found.map((one) => [`${one.envelopeId} ${one.documentId}`, one]));
  const ids = [...new Set(found.map(({ envelopeId }) => envelopeId))];
  await db.transaction().execute(async (tx) => {
    const rows = await select(
      tx,
      sql`where tenant = ${tenant} and envelope_id = any(${ids}::uuid[]) and link_id = ${id} and deleted_at is null
        and (position is null or sender is null or recipients is null)
        order by id for update`,
    );
    const changed = rows.flatMap((row) => {
      const known = facts.get(`${row.envelope_id} ${row.document_id}`);
      return known !== undefined && adds(known, row) ? completed(row, known) : [];
    });
    await update(tx, changed);
  });
}

function adds(facts: SourceFacts, row: Row): boolean {
  return (["position", "sender", "recipients"] as const).some(
    (name) => row[name] === null && facts[name] !== null,
  );
}

async function select(tx: Kysely<DB>, where: RawBuilder<unknown>): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select ${sql.join(COLUMNS.map((column) => sql.ref(column)))},
      ${blockOf(sql.ref("contract.tenant"), sql.ref("contract.imported_at"))} as block
    from contract ${where}`.execute(tx);
  return rows;
}

type Completed = Pick<StoredContract, "id" | "source"> & ReturnType<typeof searchColumns>;

function completed(row: Row, facts?: SourceFacts): Completed {
  const contract = toContract(row);
  const { position, sender, recipients } = contract.source;
  const source = {
    ...contract.source,
    position: position ?? facts?.position ?? null,
    sender: sender ?? facts?.sender ?? null,
    recipients: recipients ?? facts?.recipients ?? null,
  };
  return { id: contract.id, source, ...searchColumns({ ...contract, source }, row.block) };
}

async function update(tx: Kysely<DB>, contracts: readonly Completed[]): Promise<void> {
  if (contracts.length === 0) return;
  const column = <Value>(read: (one: Completed) => Value): Value[] => contracts.map(read);
  await sql`
    update contract set position = completed.position, sender = completed.sender::jsonb,
      recipients = completed.recipients::jsonb, search = completed.search, search_keys = completed.keys::int[]
    from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ source }) => source.position)}::int[],
      ${column(({ source }) => json(source.sender))}::text[], ${column(({ source }) => json(source.recipients))}::text[],
      ${column(({ search }) => search)}::text[], ${column(({ search_keys: keys }) => `{${keys.join()}}`)}::text[]
    ) as completed (id, position, sender, recipients, search, keys)
    where contract.id = completed.id`.execute(tx);
}
