import { randomUUID } from "node:crypto";
import { type Kysely, type Selectable, sql } from "kysely";
import type { LinkId } from "../domain/identifiers.ts";
import { parseUuid } from "../domain/identifiers.ts";
import { known, oneOf } from "./rows.ts";
import type { DB, Reconciliation as ReconciliationRow } from "./schema.ts";

export type ReconciliationKind = "first" | "hourly" | "full" | "manual" | "closing";

/** `sent`: what the account sent is being listed; `received`: what the linked user received. */
export type Side = "sent" | "received";

/** One run over a link's envelopes: where it stands while it runs, what it found once it is done. */
export type Reconciliation = {
  readonly id: string;
  readonly linkId: LinkId;
  readonly kind: ReconciliationKind;
  readonly state: "running" | "done" | "failed";
  readonly from: Date;
  /** Envelopes that completed before this moment are taken in. */
  readonly to: Date;
  readonly side: Side;
  /** The next page lists from this completion on … */
  readonly cursorFrom: Date;
  /** … leaving out this many rows. */
  readonly cursorPosition: number;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly listed: number;
  readonly known: number;
  readonly missed: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly failed: number;
  readonly calls: number;
  /** Whether a listing showed an envelope that another user of the account sent. */
  readonly colleagueSeen: boolean;
  readonly failure: string | null;
};

/** The link's run that is under way. */
export async function findRunning(db: Kysely<DB>, linkId: LinkId): Promise<Reconciliation | null> {
  const row = await db
    .selectFrom("reconciliation")
    .selectAll()
    .where("link_id", "=", linkId)
    .where("state", "=", "running")
    .executeTakeFirst();
  return row === undefined ? null : toReconciliation(row);
}

/** Starts a run; a second one beside it breaks `reconciliation_one_at_a_time`. */
export async function startReconciliation(
  db: Kysely<DB>,
  run: { linkId: LinkId; tenant: string; kind: ReconciliationKind; from: Date; to: Date; now: Date },
): Promise<Reconciliation> {
  const row = await db
    .insertInto("reconciliation")
    .values({
      id: randomUUID(),
      link_id: run.linkId,
      tenant: run.tenant,
      kind: run.kind,
      state: "running",
      window_from: run.from,
      window_to: run.to,
      side: "sent",
      cursor_from: run.from,
      started_at: run.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toReconciliation(row);
}

export type PageCounts = {
  readonly listed: number;
  readonly known: number;
  readonly missed: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly colleagueSeen: boolean;
};

/** Adds what a page held and moves the run on, in the page's commit. */
export async function advanceReconciliation(
  tx: Kysely<DB>,
  id: string,
  page: PageCounts,
  next: { side: Side; cursorFrom: Date; cursorPosition: number },
): Promise<void> {
  await tx
    .updateTable("reconciliation")
    .set({
      side: next.side,
      cursor_from: next.cursorFrom,
      cursor_position: next.cursorPosition,
      listed: sql`listed + ${page.listed}`,
      known: sql`known + ${page.known}`,
      missed: sql`missed + ${page.missed}`,
      colleague_seen: sql`colleague_seen or ${page.colleagueSeen}`,
      excluded: sql`(
        select coalesce(jsonb_object_agg(rule, count), '{}')
        from (
          select rule, sum(count::int) as count
          from (select * from jsonb_each_text(excluded) union all select * from jsonb_each_text(${JSON.stringify(page.excluded)}::jsonb)) as both_pages (rule, count)
          group by rule
        ) as summed
      )`,
    })
    .where("id", "=", id)
    .execute();
}

/** Counts calls at once, so that they are counted whatever becomes of the page. */
export async function addCalls(db: Kysely<DB>, id: string, calls: number): Promise<void> {
  if (calls === 0) return;
  await db
    .updateTable("reconciliation")
    .set({ calls: sql`calls + ${calls}` })
    .where("id", "=", id)
    .execute();
}

/** Ends a run with what still waits, and what failed, under its link. */
export async function endReconciliation(
  tx: Kysely<DB>,
  id: string,
  end: {
    state: "done" | "failed";
    now: Date;
    waiting: number;
    failed: number;
    atDocuSign: number | null;
    failure: string | null;
  },
): Promise<void> {
  await tx
    .updateTable("reconciliation")
    .set({
      state: end.state,
      ended_at: end.now,
      waiting: end.waiting,
      failed: end.failed,
      at_docusign: end.atDocuSign,
      failure: end.failure,
    })
    .where("id", "=", id)
    .execute();
}

/** A page of the tenant's runs, the newest first. */
export async function listReconciliations(
  db: Kysely<DB>,
  tenant: string,
  page: { limit: number; after: { startedAt: Date; id: string } | null },
): Promise<Reconciliation[]> {
  let query = db.selectFrom("reconciliation").selectAll().where("tenant", "=", tenant);
  if (page.after !== null) {
    query = query.where(sql<boolean>`(started_at, id) < (${page.after.startedAt}, ${page.after.id}::uuid)`);
  }
  const rows = await query.orderBy("started_at", "desc").orderBy("id", "desc").limit(page.limit).execute();
  return rows.map(toReconciliation);
}

/** How many envelopes the link's first import listed; null while it has not listed them all. */
export async function countListedFirst(
  db: Kysely<DB>,
  link: { tenant: string; id: LinkId },
): Promise<number | null> {
  const row = await db
    .selectFrom("reconciliation")
    .select("listed")
    .where("tenant", "=", link.tenant)
    .where("link_id", "=", link.id)
    .where("kind", "=", "first")
    .where("state", "=", "done")
    .orderBy("started_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.listed ?? null;
}

/** The link's latest run that is done. */
export async function findLatest(db: Kysely<DB>, linkId: LinkId): Promise<Reconciliation | null> {
  const row = await db
    .selectFrom("reconciliation")
    .selectAll()
    .where("link_id", "=", linkId)
    .where("state", "=", "done")
    .orderBy("started_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : toReconciliation(row);
}

function toReconciliation(row: Selectable<ReconciliationRow>): Reconciliation {
  return {
    id: row.id,
    linkId: known(parseUuid<LinkId>(row.link_id)),
    kind: oneOf(["first", "hourly", "full", "manual", "closing"], row.kind),
    state: oneOf(["running", "done", "failed"], row.state),
    from: row.window_from,
    to: row.window_to,
    side: oneOf(["sent", "received"], row.side),
    cursorFrom: row.cursor_from,
    cursorPosition: row.cursor_position,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    listed: row.listed,
    known: row.known,
    missed: row.missed,
    excluded: toCounts(row.excluded),
    waiting: row.waiting,
    failed: row.failed,
    calls: row.calls,
    colleagueSeen: row.colleague_seen,
    failure: row.failure,
  };
}

function toCounts(json: unknown): Record<string, number> {
  if (typeof json !== "object" || json === null) return {};
  return Object.fromEntries(Object.entries(json).map(([rule, count]) => [rule, Number(count)]));
}
