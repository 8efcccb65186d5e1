import type { Link } from "../store/links/links.ts";
import type { Obstacle } from "../usecases/operating/reconcile-now.ts";

/** How a link is called in output: never by a person's name or address. */
export function titleOf(link: Pick<Link, "id" | "tenant">): string {
  return `link ${link.id} of ${link.tenant}`;
}

/** `not-ours 3, before-window 1`; `none` where there is nothing. */
export function tellCounts(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
}

/** Milliseconds as people read them. */
export function tellDuration(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Why a command could not do all of it now, in one line. */
export function tellObstacle({ reason, until }: Obstacle, link: Link): string {
  const cause = link.state === "error" && link.cause !== null ? ` (${link.cause})` : "";
  const told = OBSTACLES[reason] ?? reason;
  return `${told}${cause}${until === null ? "" : `, until ${until.toISOString()}`}`;
}

const OBSTACLES: Readonly<Partial<Record<Obstacle["reason"], string>>> = {
  interrupted: "interrupted; the next reconciliation goes on from here",
  "link-ended": "the link has ended",
  "link-error": "the link is in error",
  "awaiting-approval": "the first import awaits its owner's approval",
  "group-missing": "the link's group is missing: its owner has to choose another",
  "account-throttled": "DocuSign takes no more calls of the account",
  "budget-reserve": "the rest of the hour's calls is left to the customer's other integrations",
  "docusign-unavailable": "DocuSign can't be reached",
  "not-found-yet": "DocuSign does not find some of it yet",
};
