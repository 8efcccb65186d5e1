import { expireAccess } from "../../store/links/link-tokens.ts";
import { findLink, type Link, listCurrentLinks } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { askAdmin } from "../health/link-health.ts";
import { type Applied, applyTombstones } from "./apply-tombstones.ts";

type Deps = Uses<
  "adminProfiles" | "db" | "documents" | "log" | "notifier" | "now" | "openAccount" | "publicUrl"
>;

/** A link after the database was set back, and what became of its authorization. */
export type CheckedLink = {
  readonly link: Link;
  readonly standing: "works" | "needs-person" | "unknown";
};

export type RestoredDeletions = Applied & { readonly checked: readonly CheckedLink[] };

/** Clocks differ, and what the database knows is skipped. */
const MARGIN_MS = 24 * 60 * 60 * 1000;

/**
 * Repeats all deletions since a moment to which an operator set the database back, and adds the feed's `restored` entries.
 * Then tries the authorization of every link: a refresh token that was replaced since is dead, and its link goes into
 * error until its owner logs in again. Idempotent. Requires that no other process of the service runs.
 */
export async function restoreDeletions(deps: Deps, to: Date): Promise<RestoredDeletions> {
  const from = new Date(to.getTime() - MARGIN_MS);
  const applied = await applyTombstones(deps, { from, reported: to });
  const checked: CheckedLink[] = [];
  for (const link of await listCurrentLinks(deps.db)) checked.push(await check(deps, link));
  return { ...applied, checked };
}

/** An access token may outlive its dead refresh token by hours, so it must not be used here. */
async function check(deps: Deps, link: Link): Promise<CheckedLink> {
  await expireAccess(deps.db, link.id);
  const answer = await askAdmin(deps, link, deps.openAccount(link, undefined, "person"));
  const current = (await findLink(deps.db, link.id)) ?? link;
  const standing = ({ admin: "works", "not-admin": "needs-person", unknown: "unknown" } as const)[answer];
  return { link: current, standing };
}
