import { type Kysely, sql } from "kysely";
import type { DB } from "../schema.ts";
import type { Side } from "./reconciliations.ts";

export type PageCounts = {
  readonly listed: number;
  readonly known: number;
  readonly missed: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly colleagueSeen: boolean;
  readonly unannounced: number;
  readonly unreadable: number;
  readonly docusignCount: number;
  readonly rowsSeen: number;
  readonly unlistedIds: readonly string[];
};

const MOST_UNLISTED_IDS = 50;

/** Adds a page's counts and advances the run, in the commit of the page. */
export async function advanceReconciliation(
  tx: Kysely<DB>,
  id: string,
  page: PageCounts,
  next: { side: Side; cursorFrom: Date; cursorPosition: number; countedIds: readonly string[] },
): Promise<void> {
  await tx
    .updateTable("reconciliation")
    .set({
      side: next.side,
      cursor_from: next.cursorFrom,
      cursor_position: next.cursorPosition,
      counted_ids: [...next.countedIds],
      listed: sql`listed + ${page.listed}`,
      known: sql`known + ${page.known}`,
      missed: sql`missed + ${page.missed}`,
      unannounced: sql`unannounced + ${page.unannounced}`,
      unreadable: sql`unreadable + ${page.unreadable}`,
      docusign_count: sql`docusign_count + ${page.docusignCount}`,
      rows_seen: sql`rows_seen + ${page.rowsSeen}`,
      unlisted: sql`unlisted + ${page.unlistedIds.length}`,
      unlisted_ids: sql`(unlisted_ids || ${page.unlistedIds}::uuid[])[1:${sql.lit(MOST_UNLISTED_IDS)}]`,
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
