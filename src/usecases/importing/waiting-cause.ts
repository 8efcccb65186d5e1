import { type CallsWait, type WaitingCause, whyCallsWait, whyLinkWaits } from "../../domain/link-wait.ts";
import type { Link } from "../../store/links/links.ts";
import type { CallKind, Uses } from "../capabilities.ts";
import { isFirstImport } from "./first-import.ts";

/**
 * What keeps all imports of a link waiting, whatever the single envelope waits for; null if nothing does. What a
 * listing found leaves a reserve of calls to others while the first import goes on.
 */
export async function findLinkWait(
  deps: Uses<"budgets">,
  link: Link | null,
  foundBy: "listing" | "event",
): Promise<WaitingCause | null> {
  const reason = whyLinkWaits(link);
  if (link === null || reason !== null) return { reason: reason ?? "link-ended", until: null };
  return await findCallsWait(
    deps,
    link,
    foundBy === "listing" && isFirstImport(link) ? "first-import" : "other",
  );
}

/** What keeps calls of this kind for the link's account waiting; null if nothing does. */
export async function findCallsWait(
  { budgets }: Uses<"budgets">,
  { account }: Link,
  kind: CallKind,
): Promise<CallsWait | null> {
  return whyCallsWait({
    any: await budgets.pace(account.id, "other"),
    firstImport: kind === "first-import" ? await budgets.pace(account.id, "first-import") : null,
  });
}

/** What keeps DocuSign from being asked for a person, who may ask while the link imports nothing. */
export async function findQuestionWait(deps: Uses<"budgets">, link: Link): Promise<WaitingCause | null> {
  if (link.cause === "authorization-revoked") return { reason: "link-error", until: null };
  return await findCallsWait(deps, link, "other");
}
