import type { Kysely } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { AccountBudget } from "../budgets.ts";
import type { Outage } from "../outages.ts";
import type { DB } from "../schema.ts";
import { joinedTokens, type TokenRow } from "./link-tokens.ts";
import { type Link, toLink } from "./links.ts";

/** A link, with what else can keep all its imports waiting. */
export type ImportStanding = {
  readonly link: Link;
  /** The budget of its account; null if none is known. */
  readonly budget: AccountBudget | null;
  readonly outage: Outage | null;
  /** Encrypted, as they are stored; null if the link has no tokens. */
  readonly tokens: TokenRow | null;
};

/** Returns the link's standing, also if the link has ended; null if there is no such link. */
export async function findImportStanding(db: Kysely<DB>, linkId: LinkId): Promise<ImportStanding | null> {
  const row = await db
    .selectFrom("link")
    .leftJoin("account_budget as budget", "budget.account_id", "link.account_id")
    .leftJoin("link_token", "link_token.link_id", "link.id")
    .leftJoin("document_store_outage as outage", (join) => join.onTrue())
    .selectAll("link")
    .selectAll("link_token")
    .select(["hourly_limit", "remaining", "resets_at", "paused_until", "observed_at"])
    .select(["code as outage_code", "since", "probe_at", "outage.ended_at as outage_ended_at"])
    .where("link.id", "=", linkId)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { observed_at: observedAt, outage_code: code, since, probe_at: probeAt } = row;
  const { hourly_limit: limit, remaining, resets_at: resetsAt, paused_until: pausedUntil } = row;
  return {
    link: toLink(row),
    budget: observedAt && { limit, remaining, resetsAt, pausedUntil, observedAt },
    outage:
      code === null || since === null || probeAt === null
        ? null
        : { code, since, probeAt, endedAt: row.outage_ended_at },
    tokens: joinedTokens(row),
  };
}
