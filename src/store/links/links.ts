import { type Kysely, type Selectable, sql } from "kysely";
import type { AccountId, LinkId, UserId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { type LinkNotice, NOTICES } from "../../domain/link-notice.ts";
import { oneOf, required } from "../rows.ts";
import type { DB, Link as LinkRow } from "../schema.ts";

export type LinkState = "active" | "paused" | "awaiting-approval" | "error" | "ended";

/** Why a link is in state `error`. */
export type LinkCause = "authorization-revoked" | "not-admin" | "group-missing";

export type Link = {
  readonly id: LinkId;
  readonly tenant: string;
  readonly groupId: string;
  readonly state: LinkState;
  readonly cause: LinkCause | null;
  readonly account: { readonly id: AccountId; readonly name: string; readonly baseUri: string };
  readonly user: { readonly id: UserId; readonly name: string; readonly email: string | null };
  readonly linkedAt: Date;
  /** When the owner paused the link. A paused link in error is paused again once it is repaired. */
  readonly pausedAt: Date | null;
  readonly endedAt: Date | null;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
  /** The owner's start date in Japan, `YYYY-MM-DD`. The two starts include it. */
  readonly startDate: string | null;
  /** True if imports fetch the certificate of completion too. */
  readonly certificates: boolean;
  /** Reconciliations have accounted for everything before this time. */
  readonly sentReached: Date | null;
  readonly receivedReached: Date | null;
  /** end(l) of import-rules 2.3, once ended. */
  readonly sentUntil: Date | null;
  readonly receivedUntil: Date | null;
  readonly approval: "not-needed" | "awaited" | "given";
  readonly firstImport: FirstImport;
  /** When DocuSign last confirmed that the user is an admin. */
  readonly checkedAt: Date | null;
  /** When the ledger was last compared with DocuSign's full listing. */
  readonly fullyCheckedAt: Date | null;
  /** Completion of the newest listed envelope that a different user of the account sent. */
  readonly colleagueSentAt: Date | null;
  readonly connect: ConnectState;
  /** The cause that slows the link, unless another table shows it. */
  readonly notice: LinkNotice | null;
  /** Since when a Connect configuration is off; null if none is. */
  readonly connectOffSince: Date | null;
  /** Since when listings ask for less than the maximum; null if they do not. */
  readonly listingSlowSince: Date | null;
  readonly totalsAtEnd: unknown;
};

/** `total` is DocuSign's count at linking. The times show the progress. */
export type FirstImport = {
  readonly total: number | null;
  /** True if DocuSign could not count at linking. */
  readonly isUncounted: boolean;
  readonly startedAt: Date | null;
  readonly listedAt: Date | null;
  readonly doneAt: Date | null;
};

/** `active` if DocuSign sends the events of one side, otherwise the reason why not. */
export type ConnectSide = "active" | "pending" | "switched-off" | "not-available";

/** For each side a `ConnectSide`, or a value of a later version, and DocuSign's id of the configuration. */
export type ConnectState = {
  readonly sent: string;
  readonly received: string;
  readonly sentId: string | null;
  readonly receivedId: string | null;
};

/** Returns the tenant's unended link; there is at most one. */
export async function findCurrentLink(db: Kysely<DB>, tenant: string): Promise<Link | null> {
  const row = await db
    .selectFrom("link")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("state", "<>", "ended")
    .executeTakeFirst();
  return row === undefined ? null : toLink(row);
}

/** Returns a link in any state. */
export async function findLink(db: Kysely<DB>, id: LinkId): Promise<Link | null> {
  const row = await db.selectFrom("link").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toLink(row);
}

/** Returns true if the link exists and has not ended. */
export async function isLinkOpen(db: Kysely<DB>, id: LinkId): Promise<boolean> {
  const row = await db
    .selectFrom("link")
    .select("id")
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .executeTakeFirst();
  return row !== undefined;
}

/** Lists all links of the tenant, including ended ones, oldest first. */
export async function listLinks(db: Kysely<DB>, tenant: string): Promise<Link[]> {
  const rows = await db
    .selectFrom("link")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("linked_at")
    .orderBy("id")
    .execute();
  return rows.map(toLink);
}

/** Lists a page of the tenant's links, including ended ones, newest first. */
export async function listLinkPage(
  db: Kysely<DB>,
  tenant: string,
  page: { limit: number; after: { linkedAt: Date; id: string } | null },
): Promise<Link[]> {
  let query = db.selectFrom("link").selectAll().where("tenant", "=", tenant);
  if (page.after !== null) {
    query = query.where(sql<boolean>`(linked_at, id) < (${page.after.linkedAt}, ${page.after.id}::uuid)`);
  }
  const rows = await query.orderBy("linked_at", "desc").orderBy("id", "desc").limit(page.limit).execute();
  return rows.map(toLink);
}

/** Lists the unended links of all tenants. */
export async function listCurrentLinks(db: Kysely<DB>): Promise<Link[]> {
  const rows = await db.selectFrom("link").selectAll().where("state", "<>", "ended").orderBy("id").execute();
  return rows.map(toLink);
}

/** Lists the ids of the unended links of all tenants. */
export async function listCurrentLinkIds(db: Kysely<DB>): Promise<LinkId[]> {
  const rows = await db.selectFrom("link").select("id").where("state", "<>", "ended").orderBy("id").execute();
  return rows.map(({ id }) => required(parseUuid<LinkId>(id)));
}

/** Converts a row of the table to a link. */
export function toLink(row: Selectable<LinkRow>): Link {
  return {
    id: required(parseUuid<LinkId>(row.id)),
    tenant: row.tenant,
    groupId: row.group_id,
    state: toState(row),
    cause: row.cause === null ? null : oneOf(CAUSES, row.cause),
    account: {
      id: required(parseUuid<AccountId>(row.account_id)),
      name: row.account_name,
      baseUri: row.base_uri,
    },
    user: { id: required(parseUuid<UserId>(row.user_id)), name: row.user_name, email: row.user_email },
    linkedAt: row.linked_at,
    pausedAt: row.paused_at,
    endedAt: row.ended_at,
    sentFrom: row.sent_from,
    receivedFrom: row.received_from,
    startDate: row.start_date,
    certificates: row.certificates,
    sentReached: row.sent_reached,
    receivedReached: row.received_reached,
    sentUntil: row.sent_until,
    receivedUntil: row.received_until,
    approval: oneOf(APPROVALS, row.approval),
    firstImport: toFirstImport(row),
    checkedAt: row.checked_at,
    fullyCheckedAt: row.fully_checked_at,
    colleagueSentAt: row.colleague_sent_at,
    connect: toConnect(row),
    notice: toNotice(row),
    listingSlowSince: row.listing_slow_since,
    connectOffSince: row.connect_off_since,
    totalsAtEnd: row.totals_at_end,
  };
}

/** A paused link is stored as an active one, which version 0.1 knows. */
function toState({ state, paused_at }: Pick<Selectable<LinkRow>, "state" | "paused_at">): LinkState {
  return state === "active" && paused_at !== null ? "paused" : oneOf(STATES, state);
}

function toFirstImport(row: Selectable<LinkRow>): FirstImport {
  return {
    total: row.first_import_total,
    isUncounted: row.uncounted,
    startedAt: row.first_import_started_at,
    listedAt: row.first_import_listed_at,
    doneAt: row.first_import_done_at,
  };
}

function toConnect(row: Selectable<LinkRow>): ConnectState {
  return {
    sent: row.connect_sent,
    received: row.connect_received,
    sentId: row.connect_sent_id,
    receivedId: row.connect_received_id,
  };
}

/** Ignores a code of a later version. */
function toNotice(row: Pick<Selectable<LinkRow>, "notice_code" | "notice_since">): LinkNotice | null {
  const code = NOTICES.find((one) => one === row.notice_code);
  return code === undefined || row.notice_since === null ? null : { code, since: row.notice_since };
}

const STATES = ["active", "awaiting-approval", "error", "ended"] as const;
const CAUSES = ["authorization-revoked", "not-admin", "group-missing"] as const;
const APPROVALS = ["not-needed", "awaited", "given"] as const;
