import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";

// Each function does one small step and returns its size. Locks are short, and rows locked by others are skipped.

/**
 * Removes the bodies that version 0.1 stored with events received before the given time. The parsed columns stay. Later
 * bodies are in `event_body`.
 */
export async function forgetBodies(db: Kysely<DB>, before: Date, limit: number): Promise<number> {
  const { rows } = await sql`
    update connect_event set body = null where id = any (array(
      select id from connect_event where body is not null and received_at < ${before}
      order by received_at limit ${limit} for update skip locked
    )) returning id`.execute(db);
  return rows.length;
}

/** Forgets events received before the moment. Walks along their ids, which follow the order of their arrival. */
export async function forgetEvents(db: Kysely<DB>, before: Date, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from connect_event where id = any (array(
      select id from (select id, received_at from connect_event order by id limit ${limit}) as oldest
      where received_at < ${before}
    )) returning id`.execute(db);
  return rows.length;
}

/** Forgets reconciliations that started before the moment; a link's first import is remembered. */
export async function forgetReconciliations(db: Kysely<DB>, before: Date, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from reconciliation where id = any (array(
      select old.id from (select distinct tenant from link) as tenants cross join lateral (
        select id from reconciliation
        where tenant = tenants.tenant and started_at < ${before} and state <> 'running' and kind <> 'first'
        order by started_at, id limit ${limit}
      ) as old limit ${limit}
    )) returning id`.execute(db);
  return rows.length;
}

/**
 * Removes the names of contracts that were deleted before the given time from their entries in the feed. Version 0.1
 * requires a file name, so it becomes an empty one, with a mark for this version.
 */
export async function eraseNames(
  db: Kysely<DB>,
  { before, now, limit }: { before: Date; now: Date; limit: number },
): Promise<number> {
  const { rows } = await sql`
    with old as (
      select id from contract where deleted_at <= ${before} and names_erased_at is null
      order by deleted_at limit ${limit} for update skip locked
    ), entries as (
      update change set contract = (contract - 'sender' - 'recipients') || jsonb_build_object(
        'fileName', '', 'namesErased', true,
        'source', (contract -> 'source') - 'sender' - 'recipients' || '{"subject": null}'
      ) from old where contract_id = old.id
    )
    update contract set names_erased_at = ${now} from old where contract.id = old.id
    returning contract.id`.execute(db);
  return rows.length;
}

/** Removes jobs that used up their attempts before the given time. */
export async function forgetFailedJobs(db: Kysely<DB>, before: Date, limit: number): Promise<number> {
  const { rows } = await sql`
    select id from graphile_worker.complete_jobs(array(
      select id from graphile_worker.jobs
      where attempts >= max_attempts and locked_at is null and updated_at < ${before}
      order by id limit ${limit}
    ))`.execute(db);
  return rows.length;
}

/** Those of the document store's keys that no document of an import, contract or certificate needs; erased ones need none. */
export async function listUnneeded(db: Kysely<DB>, keys: readonly string[]): Promise<string[]> {
  const stored = await db
    .selectFrom("stored_document")
    .select("key")
    .where("key", "in", [...keys])
    .execute();
  const known = new Set(stored.map((row) => row.key));
  const rest = keys.filter((key) => !known.has(key));
  if (rest.length === 0) return [];
  // Without an index: the question is rare, and a contract's document must not count as an orphan.
  const contracts = await db
    .selectFrom("contract")
    .select("document_key")
    .where("document_key", "in", rest)
    .where("erased_at", "is", null)
    .execute();
  const certificates = await db
    .selectFrom("certificate")
    .select("key")
    .where("key", "in", rest)
    .where("erased_at", "is", null)
    .execute();
  const needed = new Set([
    ...contracts.map((row) => row.document_key),
    ...certificates.map((row) => row.key),
  ]);
  return rest.filter((key) => !needed.has(key));
}
