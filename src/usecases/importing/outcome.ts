/** How an attempt to import an envelope ended. */
export type ImportOutcome =
  | { readonly kind: "imported"; readonly contracts: number }
  /** It was imported or deleted before; nothing changed. */
  | { readonly kind: "settled" }
  | { readonly kind: "excluded"; readonly reason: string }
  /** It waits for a named cause; `until` null means until someone takes it up. */
  | { readonly kind: "waiting"; readonly reason: string; readonly until: Date | null }
  /** DocuSign does not know it, or not as the link's. */
  | { readonly kind: "unknown" }
  /** Another worker has claimed it. */
  | { readonly kind: "busy" }
  /** The link has ended; its next one takes up what is left (import-rules 2.3). */
  | { readonly kind: "link-ended" };
