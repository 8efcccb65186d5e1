import { sql } from "kysely";
import type { SeededLink } from "./seed.ts";
import type { Stage } from "./stage.ts";
import { lastFullHour, queueHour, untilNoJobs } from "./waiting.ts";

const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

/** Each account shows an envelope of the last day, which the ledger has as imported. */
export async function addQuietEnvelopes({ database: { db }, docusign, links }: Stage): Promise<void> {
  const completedAt = new Date(lastFullHour().getTime() - TWO_HOURS_MS);
  const ids: string[] = [];
  for (const { user } of links) {
    const wish = { accountId: user.accountId, count: 1, completedAt };
    ids.push(...(await docusign.ask<string[]>("conclude", wish)));
  }
  await sql`
    insert into envelope (tenant, envelope_id, link_id, state, reason, completed_at, found_by, found_at, decided_at)
    select tenant, envelope_id, link_id, 'imported', 'sent', ${completedAt}, 'event', ${completedAt}, ${completedAt}
    from unnest(
      ${links.map(({ tenant }) => tenant)}::text[], ${ids}::uuid[], ${links.map(({ id }) => id)}::uuid[]
    ) as t (tenant, envelope_id, link_id)`.execute(db);
}

/** Reconciles an hour of the links, all due at once; returns the milliseconds that took. */
export async function runHour(stage: Stage, links: readonly SeededLink[] = stage.links): Promise<number> {
  await queueHour(stage, links, lastFullHour());
  const begin = performance.now();
  await untilNoJobs(stage, "reconcile-links", "reconcile-link");
  return performance.now() - begin;
}
