/** How an attempt to import an envelope ended. */
export type ImportOutcome =
  | { readonly kind: "imported"; readonly contracts: number }
  /** It had been imported or deleted before; nothing changed. */
  | { readonly kind: "settled" }
  | { readonly kind: "excluded"; readonly reason: string }
  /** It waits for a named cause. If `until` is null, it waits until a retry is requested. */
  | { readonly kind: "waiting"; readonly reason: string; readonly until: Date | null }
  /** DocuSign does not know it, or does not show it to the linked user. */
  | { readonly kind: "unknown" }
  /** Another worker has claimed it. */
  | { readonly kind: "busy" }
  /** The link has ended; the next link imports what is left (import-rules 2.3). */
  | { readonly kind: "link-ended" };

/** Returns true if the cause makes the link's other envelopes wait too. */
export function stopsOthers(outcome: ImportOutcome): boolean {
  return outcome.kind === "link-ended" || (outcome.kind === "waiting" && SHARED_CAUSES.has(outcome.reason));
}

const SHARED_CAUSES: ReadonlySet<string> = new Set([
  "queued",
  "link-error",
  "group-missing",
  "account-throttled",
  "budget-reserve",
  "document-store-unavailable",
]);
