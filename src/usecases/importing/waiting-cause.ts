import type { Reasons } from "../../domain/finding.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { isFirstImport } from "./import-backlog.ts";

/** Why an envelope waits, and until when; null where no moment is known. */
export type WaitingCause = { readonly reason: Reasons["waiting"]; readonly until: Date | null };

/**
 * What keeps all imports of a link waiting, whatever the single envelope waits for; null where nothing does. What a
 * listing found leaves a reserve of calls to others while the first import goes on.
 */
export async function findLinkWait(
  deps: Uses<"budgets">,
  link: Link | null,
  foundBy: "listing" | "event",
): Promise<WaitingCause | null> {
  const reason = reasonOfState(link);
  if (link === null || reason !== null) return { reason: reason ?? "link-ended", until: null };
  const pause = await deps.budgets.pace(link.account.id, "other");
  if (pause.kind === "wait") return { reason: "account-throttled", until: pause.until };
  if (foundBy === "event" || !isFirstImport(link)) return null;
  const reserve = await deps.budgets.pace(link.account.id, "first-import");
  return reserve.kind === "wait" ? { reason: "budget-reserve", until: reserve.until } : null;
}

function reasonOfState(link: Link | null): WaitingCause["reason"] | null {
  if (link === null || link.state === "ended") return "link-ended";
  if (link.state === "awaiting-approval") return "awaiting-approval";
  if (link.state === "active") return null;
  return link.cause === "group-missing" ? "group-missing" : "link-error";
}
