import { type CallsWait, type WaitingCause, whyCallsWait, whyLinkWaits } from "../../domain/link-wait.ts";
import type { Link } from "../../store/links/links.ts";
import type { CallKind, Uses } from "../capabilities.ts";
import { findStoreWait } from "./document-store.ts";
import { isFirstImport, isUncounted } from "./first-import.ts";

/**
 * Returns what keeps all imports of a link waiting, or null. Causes of a single envelope do not count. During a first
 * import, listed envelopes also wait when only the reserve of calls is left.
 */
export async function findLinkWait(
  deps: Uses<"budgets" | "db" | "now">,
  link: Link | null,
  foundBy: "listing" | "event",
): Promise<WaitingCause | null> {
  const reason = whyLinkWaits(link) ?? (link !== null && isUncounted(link) ? "queued" : null);
  if (link === null || reason !== null) return { reason: reason ?? "link-ended", until: null };
  const kind = foundBy === "listing" && isFirstImport(link) ? "first-import" : "other";
  return (await findStoreWait(deps)) ?? (await findCallsWait(deps, link, kind));
}

/** Returns what keeps calls of this kind for the link's account waiting, or null. */
export async function findCallsWait(
  { budgets }: Uses<"budgets">,
  { account }: Link,
  kind: CallKind,
): Promise<CallsWait | null> {
  return whyCallsWait({
    any: await budgets.pace(account.id, "other"),
    reserving: kind === "other" ? null : await budgets.pace(account.id, kind),
  });
}

/**
 * Returns what keeps a question to DocuSign waiting, or null. Questions work while the link imports nothing,
 * unless its authorization is gone.
 */
export async function findQuestionWait(
  deps: Uses<"budgets">,
  link: Link,
  kind: CallKind,
): Promise<WaitingCause | null> {
  if (link.cause === "authorization-revoked") return { reason: "link-error", until: null };
  return await findCallsWait(deps, link, kind);
}
