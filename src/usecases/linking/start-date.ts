import type { AccountId, UserId } from "../../domain/identifiers.ts";
import { inJapan, startOfDate } from "../../domain/japan-time.ts";
import { Refusal } from "../../domain/refusal.ts";
import { type EndedLink, raiseStarts, type Starts, startsFor } from "../../domain/window.ts";
import type { Database } from "../../store/database.ts";
import { reopenBeforeWindow } from "../../store/ledger/claims.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import { type Link, listLinks } from "../../store/links/links.ts";
import { wakeBacklog } from "../importing/wake-backlog.ts";

type NextLink = { readonly tenant: string; readonly accountId: AccountId; readonly userId: UserId };

/** Refuses a start date in the future with `malformed`. `date` is `YYYY-MM-DD` in Japan. */
export function requireStarted(date: string | null, now: Date): void {
  if (date !== null && date > inJapan(now).date)
    throw new Refusal("malformed", "body.from: must not be in the future");
}

/** Refuses with `malformed` to move the start of a link later: what is imported stays imported. */
export function requireNotLater(date: string | null, current: string | null): void {
  if (date !== null && (current === null || date > current))
    throw new Refusal(
      "malformed",
      `body.from: must be null${current === null ? "" : ` or at most ${current}`}`,
    );
}

/** Returns the starts of a link with this start date. It raises those that import-rules 2 gives, never lowers them. */
export async function startsOn(
  tx: Database,
  next: NextLink,
  date: string | null,
): Promise<Starts & Pick<Link, "startDate">> {
  const starts = startsFor(await endedLinks(tx, next.tenant), next);
  return { startDate: date, ...raiseStarts(starts, date === null ? null : startOfDate(date)) };
}

async function endedLinks(tx: Database, tenant: string): Promise<EndedLink[]> {
  const links = await listLinks(tx, tenant);
  return links.flatMap(({ account, user, endedAt, sentUntil, receivedUntil }) =>
    endedAt === null ? [] : [{ accountId: account.id, userId: user.id, endedAt, sentUntil, receivedUntil }],
  );
}

/**
 * Gives an unended link another start date. Envelopes that the earlier starts excluded wait to be judged again, as part of
 * the first import: they may be many, and must leave calls to the customer's other integrations.
 */
export async function moveStart(tx: Database, link: Link, date: string | null, now: Date): Promise<void> {
  const next = { tenant: link.tenant, accountId: link.account.id, userId: link.user.id };
  const starts = await startsOn(tx, next, date);
  await changeLink(tx, link.id, starts);
  const reopened = await reopenBeforeWindow(tx, link.id, starts, now);
  if (reopened === 0) return;
  if (link.firstImport.doneAt !== null)
    await changeLink(tx, link.id, { firstImportStartedAt: now, firstImportDoneAt: null });
  await wakeBacklog(tx, link.id, now);
}
