import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { HAS_RUNNING, HAS_WAITING } from "../link-work.ts";
import { required } from "../rows.ts";
import type { DB } from "../schema.ts";
import type { Reconciliation } from "./reconciliations.ts";

/** The hour of a link in which nothing happened, as it was read and is to be recorded. */
export type QuietHour = {
  /** As it was read: a link that has changed since is left out. */
  readonly link: Reach & {
    readonly id: LinkId;
    readonly sentFrom: Date | null;
    readonly receivedFrom: Date | null;
  };
  /** The run that listed it. */
  readonly run: Pick<Reconciliation, "id" | "from" | "to" | "startedAt" | "calls" | "colleagueSeen">;
  readonly counts: Readonly<Record<"listed" | "docusignCount" | "rowsSeen", number>>;
  /** How far the link is then accounted for. Null leaves it as it is. */
  readonly reached: Reach & { readonly colleagueSentAt: Date | null };
  /** The user as DocuSign has just confirmed them; null if they were not asked for. */
  readonly confirmed: { readonly name: string; readonly email: string | null } | null;
};

type Reach = { readonly sentReached: Date | null; readonly receivedReached: Date | null };

/**
 * Records quiet hours of many links by one statement: their entries, and how far the links are accounted for. Leaves out
 * links that changed meanwhile, have a run in progress or envelopes that wait. Returns the links that are recorded.
 */
export async function recordQuietHours(
  db: Kysely<DB>,
  hours: readonly QuietHour[],
  now: Date,
): Promise<ReadonlySet<LinkId>> {
  if (hours.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    with hour as (
      select * from json_to_recordset(${JSON.stringify(hours.map(toRecord))}::json) as hour (${COLUMNS})
    ), kept as (
      select hour.*, link.tenant from hour join link on link.id = hour.link_id
      where link.state = 'active' and link.paused_at is null and link.first_import_done_at is not null
        and link.sent_from is not distinct from hour.sent_from
        and link.received_from is not distinct from hour.received_from
        and link.sent_reached = hour.sent_before and link.received_reached = hour.received_before
        and not ${HAS_RUNNING} and not ${HAS_WAITING}
      order by link.id for no key update of link skip locked
    ), entry as (
      insert into reconciliation (
        id, link_id, tenant, kind, state, window_from, window_to, side, cursor_from, started_at, ended_at, listed,
        known, docusign_count, rows_seen, calls, colleague_seen
      )
      select id, link_id, tenant, 'hourly', 'done', window_from, window_to, 'received', window_to, started_at,
        ${now}::timestamptz, listed, listed, docusign_count, rows_seen, calls, colleague_seen
      from kept
    )
    update link set
      sent_reached = coalesce(kept.sent_reached, link.sent_reached),
      received_reached = coalesce(kept.received_reached, link.received_reached),
      colleague_sent_at = coalesce(kept.colleague_sent_at, link.colleague_sent_at),
      checked_at = case when is_confirmed then ${now}::timestamptz else link.checked_at end,
      user_name = coalesce(kept.user_name, link.user_name),
      user_email = coalesce(kept.user_email, link.user_email)
    from kept where link.id = kept.link_id
    returning link.id`.execute(db);
  return new Set(rows.map(({ id }) => required(parseUuid<LinkId>(id))));
}

const COLUMNS = sql`
  link_id uuid, id uuid, window_from timestamptz, window_to timestamptz, started_at timestamptz, listed int,
  docusign_count int, rows_seen int, calls int, colleague_seen boolean, sent_from timestamptz,
  received_from timestamptz, sent_before timestamptz, received_before timestamptz, sent_reached timestamptz,
  received_reached timestamptz, colleague_sent_at timestamptz, is_confirmed boolean, user_name text, user_email text`;

function toRecord({ link, run, counts, reached, confirmed }: QuietHour): object {
  return {
    link_id: link.id,
    id: run.id,
    window_from: run.from,
    window_to: run.to,
    started_at: run.startedAt,
    calls: run.calls,
    colleague_seen: run.colleagueSeen,
    listed: counts.listed,
    docusign_count: counts.docusignCount,
    rows_seen: counts.rowsSeen,
    sent_from: link.sentFrom,
    received_from: link.receivedFrom,
    sent_before: link.sentReached,
    received_before: link.receivedReached,
    sent_reached: reached.sentReached,
    received_reached: reached.receivedReached,
    colleague_sent_at: reached.colleagueSentAt,
    is_confirmed: confirmed !== null,
    user_name: confirmed?.name ?? null,
    user_email: confirmed?.email ?? null,
  };
}
