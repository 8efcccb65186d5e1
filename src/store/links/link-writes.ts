import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import { type ConnectState, type Link, type LinkCause, type LinkState, toLink } from "./links.ts";

/**
 * Locks the link until the transaction ends. With `share`, others may lock it with `share` too, but not change it. `change`
 * allows rows that refer to the link, `update` does not. Lock the link before any row of an envelope, as imports do;
 * otherwise the two can deadlock.
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
  | "startDate"
  | "certificates"
  | "approval"
  | "connect"
> & {
  readonly firstImportTotal: number | null;
};

/** Stores a link. A second unended link of the tenant violates `link_one_at_a_time`. */
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
      start_date: link.startDate,
      certificates: link.certificates,
      approval: link.approval,
      first_import_total: link.firstImportTotal,
      uncounted: link.firstImportTotal === null,
      ...connectColumns(link.connect),
    })
    .execute();
}

export type LinkChange = Partial<{
  groupId: string;
  state: Exclude<LinkState, "paused">;
  cause: LinkCause | null;
  pausedAt: Date | null;
  approval: Link["approval"];
  connect: ConnectState;
  account: Pick<Link["account"], "name" | "baseUri">;
  user: Pick<Link["user"], "name" | "email">;
  sentFrom: Date | null;
  receivedFrom: Date | null;
  startDate: string | null;
  certificates: boolean;
  sentReached: Date;
  receivedReached: Date;
  checkedAt: Date;
  fullyCheckedAt: Date;
  colleagueSentAt: Date;
  endingAt: Date;
  firstImportTotal: number;
  firstImportStartedAt: Date;
  firstImportListedAt: Date;
  /** Null if envelopes of the first import wait again. */
  firstImportDoneAt: Date | null;
}>;

/** Changes an unended link. Leaves an ended one unchanged. */
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

/** Plain columns have the names of their properties in snake_case. */
function toColumn(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Lets an unended link await the approval of its first import. A link in error stays in error. */
export async function awaitApproval(tx: Kysely<DB>, id: LinkId): Promise<void> {
  await tx
    .updateTable("link")
    .set({
      approval: "awaited",
      state: sql`case state when 'active' then 'awaiting-approval' else state end`,
    })
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .where("approval", "=", "not-needed")
    .execute();
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
