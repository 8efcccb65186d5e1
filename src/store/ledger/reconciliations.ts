import { randomUUID } from "node:crypto";
import { type Kysely, type Selectable, sql } from "kysely";
import { z } from "zod";
import type { LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { oneOf, required } from "../rows.ts";
import type { DB, Reconciliation as ReconciliationRow } from "../schema.ts";
import { DONE, RUNNING } from "../states.ts";

export type ReconciliationKind = "first" | "hourly" | "full" | "manual" | "closing";

export type ReconciliationState = "running" | "done" | "failed";

/** `sent`: lists what the account sent. `received`: lists what the linked user received. */
export type Side = "sent" | "received";

/** One run over a link's envelopes: its position while it runs and its results afterwards. */
export type Reconciliation = {
  readonly id: string;
  readonly linkId: LinkId;
  readonly kind: ReconciliationKind;
  readonly state: ReconciliationState;
  readonly from: Date;
  /** The run covers envelopes that completed before this time. */
  readonly to: Date;
  readonly side: Side;
  /** The next page starts at this completion … */
  readonly cursorFrom: Date;
  /** … and skips this many rows. */
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
  /** True if a listing showed an envelope that a different user of the account sent. */
  readonly colleagueSeen: boolean;
  readonly failure: string | null;
  /** Envelopes that the next page lists again and that are already counted. */
  readonly countedIds: readonly string[];
  /** Missed envelopes that an active Connect configuration should have announced. */
  readonly unannounced: number;
  /** Rows that could not be parsed. */
  readonly unreadable: number;
  /** Rows of both sides: DocuSign's count at the start of the side, and the rows actually listed. */
  readonly docusignCount: number;
  readonly rowsSeen: number;
  /** Full checks: the number of ledger envelopes that DocuSign no longer lists, and the first of them. */
  readonly unlisted: number;
  readonly unlistedIds: readonly string[];
  /** Full checks, when done: the number of envelopes that DocuSign listed. */
  readonly atDocuSign: number | null;
  /** Full checks: the differences between the ledger and DocuSign; null if there are none. */
  readonly difference: Difference | null;
};

/** The differences that a full check found (import-rules 6). */
export type Difference = {
  /** Number of envelopes that DocuSign listed, and that the ledger has. */
  readonly atDocuSign: number;
  readonly inLedger: number;
  /** Ledger envelopes that DocuSign no longer lists; most were deleted there. */
  readonly unlisted: { readonly count: number; readonly envelopeIds: readonly string[] };
  /** Listed rows that cannot be parsed as envelopes. */
  readonly unreadable: number;
  /** Counted by DocuSign but not listed. */
  readonly uncounted: number;
};

/** Returns the link's running reconciliation, or null. */
export async function findRunning(db: Kysely<DB>, linkId: LinkId): Promise<Reconciliation | null> {
  const row = await db
    .selectFrom("reconciliation")
    .selectAll()
    .where("link_id", "=", linkId)
    .where("state", "=", RUNNING)
    .executeTakeFirst();
  return row === undefined ? null : toReconciliation(row);
}

/** Starts a run. A concurrent second run violates `reconciliation_one_at_a_time`. */
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

/** Counts calls immediately, so that they count even if the page fails. */
export async function addCalls(db: Kysely<DB>, id: string, calls: number): Promise<void> {
  if (calls === 0) return;
  await db
    .updateTable("reconciliation")
    .set({ calls: sql`calls + ${calls}` })
    .where("id", "=", id)
    .execute();
}

/** Ends a run and stores how many envelopes of its link wait and failed. Leaves an ended run unchanged. */
export async function endReconciliation(
  tx: Kysely<DB>,
  id: string,
  end: {
    state: "done" | "failed";
    now: Date;
    waiting: number;
    failed: number;
    failure: string | null;
    atDocuSign?: number;
    difference?: Difference | null;
  },
): Promise<void> {
  await tx
    .updateTable("reconciliation")
    .set({
      state: end.state,
      ended_at: end.now,
      waiting: end.waiting,
      failed: end.failed,
      at_docusign: end.atDocuSign ?? null,
      difference: end.difference == null ? null : JSON.stringify(end.difference),
      failure: end.failure,
      counted_ids: [],
    })
    .where("id", "=", id)
    .where("state", "=", RUNNING)
    .execute();
}

/** Ends the running reconciliation of a link that ends. */
export async function abandonRun(tx: Kysely<DB>, linkId: LinkId, now: Date): Promise<void> {
  await tx
    .updateTable("reconciliation")
    .set({ state: "failed", ended_at: now, failure: "the link was ended meanwhile", counted_ids: [] })
    .where("link_id", "=", linkId)
    .where("state", "=", RUNNING)
    .execute();
}

/** Returns a page of the tenant's runs, newest first. */
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
    .where("state", "=", DONE)
    .orderBy("started_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.listed ?? null;
}

/** Returns the link's latest finished run. */
export async function findLatest(db: Kysely<DB>, linkId: LinkId): Promise<Reconciliation | null> {
  const row = await db
    .selectFrom("reconciliation")
    .selectAll()
    .where("link_id", "=", linkId)
    .where("state", "=", DONE)
    .orderBy("started_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : toReconciliation(row);
}

function toReconciliation(row: Selectable<ReconciliationRow>): Reconciliation {
  return {
    id: row.id,
    linkId: required(parseUuid<LinkId>(row.link_id)),
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
    countedIds: row.counted_ids,
    unannounced: row.unannounced,
    unreadable: row.unreadable,
    docusignCount: row.docusign_count,
    rowsSeen: row.rows_seen,
    unlisted: row.unlisted,
    unlistedIds: row.unlisted_ids,
    atDocuSign: row.at_docusign,
    difference: row.difference === null ? null : DIFFERENCE.parse(row.difference),
  };
}

const DIFFERENCE = z.object({
  atDocuSign: z.number(),
  inLedger: z.number(),
  unlisted: z.object({ count: z.number(), envelopeIds: z.array(z.string()) }),
  unreadable: z.number(),
  uncounted: z.number(),
});

function toCounts(json: unknown): Record<string, number> {
  if (typeof json !== "object" || json === null) return {};
  return Object.fromEntries(Object.entries(json).map(([rule, count]) => [rule, Number(count)]));
}
