import { type Kysely, sql } from "kysely";
import { MOST_ATTEMPTS } from "../../domain/retries.ts";
import { isClockBehind } from "../feed-clock.ts";
import { LINK_STATE } from "../link-state.ts";
import { findOutage } from "../outages.ts";
import type { DB } from "../schema.ts";
import { REASON } from "../waiting-reasons.ts";

/** The state of the service for /metrics; durations in seconds. Contains nothing about tenants or persons. */
export type Figures = {
  readonly queue: readonly TaskFigures[];
  /** Waiting envelopes by reason, including parked ones. */
  readonly waiting: ReadonlyMap<string, number>;
  /** Parked envelopes. */
  readonly parked: number;
  readonly links: ReadonlyMap<string, number>;
  /** Links in state `error`, by cause. */
  readonly causes: ReadonlyMap<string, number>;
  /** Connect configurations that are off, by reason. */
  readonly connectOff: ReadonlyMap<string, number>;
  /** Age of the oldest time up to which an active link has accounted for everything. */
  readonly lagSeconds: number;
  /** The longest time that a link has waited for its first import to start. */
  readonly firstImportWaitSeconds: number;
  /** Share of our completed envelopes of 24 hours that no event announced; 0 if nothing completed. */
  readonly missedRatio: number;
  readonly feed: {
    readonly unpublished: number;
    readonly oldestSeconds: number;
    /** True while publication refuses the database's clock. */
    readonly refused: boolean;
  };
  /** Deleted contracts whose bytes are not erased yet. */
  readonly toErase: number;
  readonly budgets: readonly BudgetFigures[];
  /** Configurations of Connect of active links, by state. */
  readonly connect: ReadonlyMap<string, number>;
  /** Active links by the notice that was recorded for them. */
  readonly slowed: ReadonlyMap<string, number>;
  /** Null if the document store accepts writes. */
  readonly outage: { readonly code: string; readonly seconds: number } | null;
};

export type TaskFigures = {
  readonly task: string;
  readonly due: number;
  readonly later: number;
  readonly running: number;
  /** Jobs that used up their attempts. */
  readonly failed: number;
  /** Age of the job that has been due longest. */
  readonly oldestDueSeconds: number;
};

export type BudgetFigures = {
  readonly accountId: string;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly paused: boolean;
};

/** Reads all figures at `now`. Uses indexes only, except for the queue and the links. */
export async function readFigures(db: Kysely<DB>, now: Date): Promise<Figures> {
  const [queue, envelopes, links, missedRatio, rest, budgets, slowed, outage] = [
    await readQueue(db, now),
    await readWaiting(db),
    await readLinks(db, now),
    await readMissedRatio(db, new Date(now.getTime() - DAY_MS)),
    await readFeedAndErasure(db, now),
    await readBudgets(db, now),
    await readSlowed(db),
    await readOutage(db, now),
  ];
  return {
    queue,
    ...envelopes,
    ...links,
    missedRatio,
    ...rest,
    budgets,
    ...slowed,
    outage,
  };
}

const DAY_MS = 24 * 60 * 60 * 1000;

async function readQueue(db: Kysely<DB>, now: Date): Promise<TaskFigures[]> {
  const { rows } = await sql<{
    task: string;
    due: number;
    later: number;
    running: number;
    failed: number;
    oldest: number;
  }>`
    select task_identifier as task,
      (count(*) filter (where is_due))::int as due,
      (count(*) filter (where not running and not failed and run_at > ${now}))::int as later,
      (count(*) filter (where running))::int as running,
      (count(*) filter (where failed))::int as failed,
      coalesce(extract(epoch from ${now}::timestamptz - min(run_at) filter (where is_due)), 0)::float8 as oldest
    from (
      select *, not running and not failed and run_at <= ${now} as is_due
      from (
        select task_identifier, run_at, locked_at is not null as running,
          locked_at is null and attempts >= max_attempts as failed
        from graphile_worker.jobs
      ) as job
    ) as job
    group by task_identifier order by task_identifier`.execute(db);
  return rows.map(({ oldest, ...counts }) => ({ ...counts, oldestDueSeconds: oldest }));
}

async function readWaiting(db: Kysely<DB>): Promise<Pick<Figures, "waiting" | "parked">> {
  const rows = await db
    .selectFrom("envelope")
    .select([
      REASON.as("reason"),
      sql<number>`count(*)::int`.as("count"),
      sql<number>`(count(*) filter (where waiting_until is null or attempts >= ${MOST_ATTEMPTS}))::int`.as(
        "parked",
      ),
    ])
    .where("state", "=", "waiting")
    .groupBy(REASON)
    .execute();
  return {
    waiting: new Map(rows.map((row) => [row.reason, row.count])),
    parked: rows.reduce((sum, row) => sum + row.parked, 0),
  };
}

/** A first import lists history from 2003 on: until it has, how far a link is behind says nothing. */
async function readLinks(
  db: Kysely<DB>,
  now: Date,
): Promise<Pick<Figures, "links" | "causes" | "lagSeconds" | "firstImportWaitSeconds">> {
  const rows = await db
    .selectFrom("link")
    .select([
      LINK_STATE.as("state"),
      "cause",
      sql<number>`count(*)::int`.as("count"),
      sql<Date | null>`min(least(sent_reached, received_reached)) filter (where first_import_listed_at is not null)`.as(
        "reached",
      ),
      sql<Date | null>`min(linked_at) filter (where first_import_started_at is null)`.as("unstarted"),
    ])
    .groupBy([LINK_STATE, "cause"])
    .execute();
  const active = rows.find((row) => row.state === "active");
  const inError = rows.filter((row) => row.state === "error");
  const states = Map.groupBy(rows, (row) => row.state);
  return {
    links: new Map(
      [...states].map(([state, some]) => [state, some.reduce((sum, row) => sum + row.count, 0)]),
    ),
    causes: new Map(inError.map((row) => [row.cause ?? "", row.count])),
    lagSeconds: secondsSince(active?.reached ?? null, now),
    firstImportWaitSeconds: secondsSince(active?.unstarted ?? null, now),
  };
}

/** Reconciliations list the same day every hour, so their counts do not show missed events; recorded events do. */
async function readMissedRatio(db: Kysely<DB>, since: Date): Promise<number> {
  const { rows } = await sql<{ missed: number; announced: number }>`
    select
      (select coalesce(sum(unannounced), 0)::int from link cross join lateral (
        select unannounced from reconciliation
        where reconciliation.tenant = link.tenant and reconciliation.link_id = link.id
          and started_at >= ${since} and kind in ('hourly', 'full', 'manual')
      ) as run where link.state <> 'ended') as missed,
      (select count(distinct (link_id, envelope_id))::int from connect_event
        where received_at >= ${since} and event = 'envelope-completed' and not is_foreign) as announced`.execute(
    db,
  );
  const { missed = 0, announced = 0 } = rows[0] ?? {};
  return missed === 0 ? 0 : missed / (missed + announced);
}

async function readFeedAndErasure(db: Kysely<DB>, now: Date): Promise<Pick<Figures, "feed" | "toErase">> {
  const feed = await db
    .selectFrom("change")
    .select([sql<number>`count(*)::int`.as("count"), (select) => select.fn.min("recorded_at").as("oldest")])
    .where("sequence", "is", null)
    .executeTakeFirstOrThrow();
  const contracts = await db
    .selectFrom("contract")
    .select(sql<number>`count(*)::int`.as("count"))
    .where("deleted_at", "is not", null)
    .where("erased_at", "is", null)
    .executeTakeFirstOrThrow();
  const oldest: Date | null = feed.oldest;
  return {
    feed: {
      unpublished: feed.count,
      oldestSeconds: secondsSince(oldest, now),
      refused: await isClockBehind(db),
    },
    toErase: contracts.count,
  };
}

/** Accounts that were called within a day. A budget that has been reset since is full. */
async function readBudgets(db: Kysely<DB>, now: Date): Promise<BudgetFigures[]> {
  const rows = await db
    .selectFrom("account_budget")
    .selectAll()
    .where("observed_at", ">=", new Date(now.getTime() - DAY_MS))
    .orderBy("account_id")
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    limit: row.hourly_limit,
    remaining: row.resets_at !== null && row.resets_at <= now ? row.hourly_limit : row.remaining,
    paused: row.paused_until !== null && row.paused_until > now,
  }));
}

async function readSlowed(db: Kysely<DB>): Promise<Pick<Figures, "connect" | "connectOff" | "slowed">> {
  const { rows } = await sql<{ kind: string; value: string; count: number }>`
    select kind, value, count(*)::int as count from link cross join lateral (
      values ('connect', connect_sent), ('connect', connect_received),
        ('off', connect_sent_off), ('off', connect_received_off), ('slowed', notice_code),
        ('slowed', case when listing_slow_since is not null then 'docusign-slow' end),
        ('slowed', case when connect_off_since is not null then 'connect-switched-off' end)
    ) as fact (kind, value)
    where state = 'active' and paused_at is null and value is not null group by kind, value order by kind, value`.execute(
    db,
  );
  const of = (kind: string): Map<string, number> =>
    new Map(rows.filter((row) => row.kind === kind).map(({ value, count }) => [value, count]));
  return { connect: of("connect"), connectOff: of("off"), slowed: of("slowed") };
}

/** An outage that has just ended still counts: it may return with the next document. */
const RELAPSE_MS = 2 * 60 * 1000;

async function readOutage(db: Kysely<DB>, now: Date): Promise<Figures["outage"]> {
  const outage = await findOutage(db);
  if (outage === null) return null;
  const isOver = outage.endedAt !== null && now.getTime() - outage.endedAt.getTime() >= RELAPSE_MS;
  return isOver ? null : { code: outage.code, seconds: secondsSince(outage.since, now) };
}

function secondsSince(moment: Date | null, now: Date): number {
  return moment === null ? 0 : Math.max(0, (now.getTime() - moment.getTime()) / 1000);
}
