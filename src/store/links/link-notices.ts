import { type Kysely, sql } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import { NOTICES, type NoticeCode } from "../../domain/link-notice.ts";
import type { DB } from "../schema.ts";

/** Records what slows the link. Keeps the time of the same notice, and a notice that slows the link more. */
export async function recordNotice(
  db: Kysely<DB>,
  linkId: LinkId,
  code: NoticeCode,
  now: Date,
): Promise<void> {
  const weaker = NOTICES.slice(NOTICES.indexOf(code) + 1);
  await db
    .updateTable("link")
    .set({ notice_code: code, notice_since: now })
    .where("id", "=", linkId)
    .where("state", "<>", "ended")
    .where(sql<boolean>`(notice_code is null or notice_code = any(${weaker}::text[]))`)
    .execute();
}

/** Removes the notice if it has this code. */
export async function removeNotice(db: Kysely<DB>, linkId: LinkId, code: NoticeCode): Promise<void> {
  await db
    .updateTable("link")
    .set({ notice_code: null, notice_since: null })
    .where("id", "=", linkId)
    .where("notice_code", "=", code)
    .execute();
}
