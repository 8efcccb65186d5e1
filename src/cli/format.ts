import type { Link } from "../store/links/links.ts";
import type { Obstacle } from "../usecases/operating/reconcile-now.ts";

/** Names a link in output, never by a person's name or address. */
export function titleOf(link: Pick<Link, "id" | "tenant">): string {
  return `link ${link.id} of ${link.tenant}`;
}

/** `not-ours 3, before-window 1`; `none` if there is nothing. */
export function formatCounts(counts: Readonly<Record<string, number>>): string {
  const shown = Object.entries(counts).filter(([, count]) => count > 0);
  return shown.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
}

/** `1 link`, `2 links`. */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Formats milliseconds for people. */
export function formatDuration(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Describes in one line why a command could not complete now. */
export function describeObstacle({ reason, until, code }: Obstacle, link: Link): string {
  const named = code ?? (link.state === "error" ? link.cause : null);
  const cause = named === null ? "" : ` (${named})`;
  const shown = OBSTACLES[reason] ?? reason;
  return `${shown}${cause}${until === null ? "" : `, until ${until.toISOString()}`}`;
}

const OBSTACLES: Readonly<Partial<Record<Obstacle["reason"], string>>> = {
  interrupted: "interrupted; the next reconciliation continues from here",
  "link-ended": "the link has ended",
  "link-error": "the link is in error",
  paused: "the link is paused: its owner must resume it",
  "awaiting-approval": "the first import awaits its owner's approval",
  "group-missing": "the link's group is missing: its owner must choose a different group",
  "account-throttled": "DocuSign currently accepts no more calls for the account",
  "budget-reserve": "the rest of the hour's calls is reserved for the customer's other integrations",
  "docusign-unavailable": "DocuSign cannot be reached",
  "document-store-unavailable": "the document store refuses writes",
  "not-found-yet": "DocuSign does not return some of it yet",
};
