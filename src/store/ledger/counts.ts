import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import { MOST_ATTEMPTS } from "../../domain/retries.ts";
import type { DB } from "../schema.ts";
import { WAITING } from "../states.ts";
import { REASON } from "../waiting-reasons.ts";
import type { EnvelopeState } from "./envelopes.ts";
import { announcedBy } from "./waiting-envelopes.ts";

export type Totals = {
  readonly atDocuSign: number;
  readonly imported: number;
  readonly excluded: number;
  readonly deleted: number;
  readonly waiting: number;
};

/** The link's totals in envelopes; they add up by construction (import-rules 6). */
export async function countTotals(db: Kysely<DB>, linkId: LinkId): Promise<Totals> {
  const rows = await db
    .selectFrom("envelope")
    .select(["state", (select) => select.fn.countAll<string>().as("count")])
    .where("link_id", "=", linkId)
    .where((is) => is.or([is("completed_at", "is not", null), is("state", "=", "waiting")]))
    .groupBy("state")
    .execute();
  const count = (state: EnvelopeState): number => Number(rows.find((row) => row.state === state)?.count ?? 0);
  const totals = {
    imported: count("imported"),
    excluded: count("excluded"),
    deleted: count("deleted"),
    waiting: count("waiting"),
  };
  return { atDocuSign: totals.imported + totals.excluded + totals.deleted + totals.waiting, ...totals };
}

/** Counts the link's excluded envelopes by rule. */
export async function countExcludedByRule(db: Kysely<DB>, linkId: LinkId): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom("envelope")
    .select(["reason", (select) => select.fn.countAll<string>().as("count")])
    .where("link_id", "=", linkId)
    .where("state", "=", "excluded")
    .where("completed_at", "is not", null)
    .groupBy("reason")
    .orderBy("reason")
    .execute();
  return Object.fromEntries(rows.map((row) => [row.reason, Number(row.count)]));
}

/** Counts the link's due envelopes. */
export async function countDue(db: Kysely<DB>, linkId: LinkId, now: Date): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .where("waiting_until", "<=", now)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Counts the link's waiting envelopes. */
export async function countWaiting(db: Kysely<DB>, linkId: LinkId): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Counts the link's waiting envelopes by reason, including parked ones. */
export async function countWaitingByCause(db: Kysely<DB>, linkId: LinkId): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom("envelope")
    .select([REASON.as("reason"), (select) => select.fn.countAll<string>().as("count")])
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .groupBy(REASON)
    .orderBy("reason")
    .execute();
  return Object.fromEntries(rows.map((row) => [row.reason, Number(row.count)]));
}

/** Counts the link's envelopes that failed for days: parked, or being retried by a reconciliation. */
export async function countParked(db: Kysely<DB>, linkId: LinkId): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("state", "=", WAITING)
    .where((is) => is.or([is("waiting_until", "is", null), is("attempts", ">=", MOST_ATTEMPTS)]))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Counts the link's envelopes that an event announced and that are queued but not in the ledger yet. */
export async function countAnnounced(
  db: Kysely<DB>,
  { id, tenant }: { id: LinkId; tenant: string },
): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) from (
      select ${announcedBy(id)} as envelope_id from graphile_worker.jobs as job
    ) as announced
    where announced.envelope_id is not null and not exists (
      select from envelope where tenant = ${tenant} and envelope.envelope_id = announced.envelope_id
    )`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

/** Counts the link's envelopes that a reconciliation found first. */
export async function countFoundByListing(db: Kysely<DB>, linkId: LinkId): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where("found_by", "=", "reconciliation")
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Counts the link's completed envelopes in the ledger up to the given time. */
export async function countCompletedUntil(db: Kysely<DB>, linkId: LinkId, to: Date): Promise<number> {
  const row = await db
    .selectFrom("envelope")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("link_id", "=", linkId)
    .where((is) =>
      is.or([
        is("completed_at", "<=", to),
        is.and([
          is("completed_at", "is", null),
          is("state", "=", "waiting"),
          is("found_by", "=", "reconciliation"),
        ]),
      ]),
    )
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
