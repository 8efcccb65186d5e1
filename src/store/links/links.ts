import { type Kysely, type Selectable, sql } from "kysely";
import type { AccountId, LinkId, UserId } from "../../domain/identifiers.ts";
import { parseUuid } from "../../domain/identifiers.ts";
import { oneOf, required } from "../rows.ts";
import type { DB, Link as LinkRow } from "../schema.ts";

export type LinkState = "active" | "awaiting-approval" | "error" | "ended";

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
  readonly endedAt: Date | null;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
  /** Up to where the reconciliations have accounted for everything. */
  readonly sentReached: Date | null;
  readonly receivedReached: Date | null;
  /** end(l) of import-rules 2.3, once ended. */
  readonly sentUntil: Date | null;
  readonly receivedUntil: Date | null;
  readonly approval: "not-needed" | "awaited" | "given";
  readonly firstImport: FirstImport;
  /** When DocuSign last said that the user is an admin. */
  readonly checkedAt: Date | null;
  /** When the ledger was last compared with all that DocuSign lists. */
  readonly fullyCheckedAt: Date | null;
  /** Completion of the newest envelope seen that another user of the account sent. */
  readonly colleagueSentAt: Date | null;
  readonly connect: ConnectState;
  readonly totalsAtEnd: unknown;
};

/** `total` is what DocuSign counted at linking; the moments tell how far it has come. */
export type FirstImport = {
  readonly total: number | null;
  readonly startedAt: Date | null;
  readonly listedAt: Date | null;
  readonly doneAt: Date | null;
};

/** Per side: `active`, or why events do not come; and DocuSign's id of the configuration. */
export type ConnectState = {
  readonly sent: string;
  readonly received: string;
  readonly sentId: string | null;
  readonly receivedId: string | null;
};

/** The tenant's link that has not ended: there is at most one. */
export async function findCurrentLink(db: Kysely<DB>, tenant: string): Promise<Link | null> {
  const row = await db
    .selectFrom("link")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("state", "<>", "ended")
    .executeTakeFirst();
  return row === undefined ? null : toLink(row);
}

/** A link of any state. */
export async function findLink(db: Kysely<DB>, id: LinkId): Promise<Link | null> {
  const row = await db.selectFrom("link").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toLink(row);
}

/**
 * The link, kept as it is until the transaction ends: others wait to change it, or where `share` only to read it so
 * too. `change` lets rows be added that name the link, `update` not even those. To be taken before any envelope's row,
 * as imports do, or the two wait for each other.
 */
export async function lockLink(
  tx: Kysely<DB>,
  id: LinkId,
  mode: "share" | "change" | "update",
): Promise<Link | null> {
  const query = tx.selectFrom("link").selectAll().where("id", "=", id);
  const locking = {
    share: () => query.forShare(),
    change: () => query.forNoKeyUpdate(),
    update: () => query.forUpdate(),
  };
  const row = await locking[mode]().executeTakeFirst();
  return row === undefined ? null : toLink(row);
}

/** All links of the tenant, ended ones included, the oldest first. */
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

/** A page of the tenant's links, ended ones included, the newest first. */
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

/** Every link that has not ended, of all tenants. */
export async function listCurrentLinks(db: Kysely<DB>): Promise<Link[]> {
  const rows = await db.selectFrom("link").selectAll().where("state", "<>", "ended").orderBy("id").execute();
  return rows.map(toLink);
}

export type NewLink = Pick<
  Link,
  | "id"
  | "tenant"
  | "groupId"
  | "state"
  | "account"
  | "user"
  | "linkedAt"
  | "sentFrom"
  | "receivedFrom"
  | "approval"
  | "connect"
> & {
  readonly firstImportTotal: number | null;
};

/** Stores a link; a second one beside an unended link of the tenant breaks `link_one_at_a_time`. */
export async function storeLink(tx: Kysely<DB>, link: NewLink): Promise<void> {
  await tx
    .insertInto("link")
    .values({
      id: link.id,
      tenant: link.tenant,
      group_id: link.groupId,
      state: link.state,
      account_id: link.account.id,
      account_name: link.account.name,
      base_uri: link.account.baseUri,
      user_id: link.user.id,
      user_name: link.user.name,
      user_email: link.user.email,
      linked_at: link.linkedAt,
      sent_from: link.sentFrom,
      received_from: link.receivedFrom,
      approval: link.approval,
      first_import_total: link.firstImportTotal,
      ...connectColumns(link.connect),
    })
    .execute();
}

export type LinkChange = Partial<{
  groupId: string;
  state: LinkState;
  cause: LinkCause | null;
  approval: Link["approval"];
  connect: ConnectState;
  account: Pick<Link["account"], "name" | "baseUri">;
  user: Pick<Link["user"], "name" | "email">;
  sentReached: Date;
  receivedReached: Date;
  checkedAt: Date;
  fullyCheckedAt: Date;
  colleagueSentAt: Date;
  firstImportTotal: number;
  firstImportStartedAt: Date;
  firstImportListedAt: Date;
  firstImportDoneAt: Date;
}>;

/** Changes an unended link; an ended one stays as it was. */
export async function changeLink(tx: Kysely<DB>, id: LinkId, change: LinkChange): Promise<void> {
  const { connect, account, user, ...plain } = change;
  const columns = {
    ...Object.fromEntries(Object.entries(plain).map(([name, value]) => [toColumn(name), value])),
    ...(connect && connectColumns(connect)),
    ...(account && { account_name: account.name, base_uri: account.baseUri }),
    ...(user && { user_name: user.name, user_email: user.email }),
  };
  if (Object.keys(columns).length === 0) return;
  await tx.updateTable("link").set(columns).where("id", "=", id).where("state", "<>", "ended").execute();
}

/** The plain columns are named as their properties, in snake_case. */
function toColumn(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Ends a link for good and destroys its tokens; history and contracts remain (import-rules 5). */
export async function closeLink(
  tx: Kysely<DB>,
  id: LinkId,
  end: { endedAt: Date; sentUntil: Date | null; receivedUntil: Date | null; totals: object },
): Promise<void> {
  await tx.deleteFrom("link_token").where("link_id", "=", id).execute();
  await tx
    .updateTable("link")
    .set({
      state: "ended",
      ended_at: end.endedAt,
      sent_until: end.sentUntil,
      received_until: end.receivedUntil,
      totals_at_end: JSON.stringify(end.totals),
    })
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .execute();
}

function connectColumns(connect: ConnectState) {
  return {
    connect_sent: connect.sent,
    connect_received: connect.received,
    connect_sent_id: connect.sentId,
    connect_received_id: connect.receivedId,
  };
}

function toLink(row: Selectable<LinkRow>): Link {
  return {
    id: required(parseUuid<LinkId>(row.id)),
    tenant: row.tenant,
    groupId: row.group_id,
    state: oneOf(STATES, row.state),
    cause: row.cause === null ? null : oneOf(CAUSES, row.cause),
    account: {
      id: required(parseUuid<AccountId>(row.account_id)),
      name: row.account_name,
      baseUri: row.base_uri,
    },
    user: { id: required(parseUuid<UserId>(row.user_id)), name: row.user_name, email: row.user_email },
    linkedAt: row.linked_at,
    endedAt: row.ended_at,
    sentFrom: row.sent_from,
    receivedFrom: row.received_from,
    sentReached: row.sent_reached,
    receivedReached: row.received_reached,
    sentUntil: row.sent_until,
    receivedUntil: row.received_until,
    approval: oneOf(APPROVALS, row.approval),
    firstImport: {
      total: row.first_import_total,
      startedAt: row.first_import_started_at,
      listedAt: row.first_import_listed_at,
      doneAt: row.first_import_done_at,
    },
    checkedAt: row.checked_at,
    fullyCheckedAt: row.fully_checked_at,
    colleagueSentAt: row.colleague_sent_at,
    connect: {
      sent: row.connect_sent,
      received: row.connect_received,
      sentId: row.connect_sent_id,
      receivedId: row.connect_received_id,
    },
    totalsAtEnd: row.totals_at_end,
  };
}

const STATES = ["active", "awaiting-approval", "error", "ended"] as const;
const CAUSES = ["authorization-revoked", "not-admin", "group-missing"] as const;
const APPROVALS = ["not-needed", "awaited", "given"] as const;
