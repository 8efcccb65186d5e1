/** The causes that slow an active link. The one that slows it most comes first. */
export const NOTICES = [
  "document-store-unavailable",
  "docusign-unavailable",
  "account-throttled",
  "docusign-slow",
  "connect-switched-off",
] as const;

export type NoticeCode = (typeof NOTICES)[number];

export type LinkNotice = { readonly code: NoticeCode; readonly since: Date };

export type NoticeFacts = {
  /** Only an active link has a notice: every other state explains itself. */
  readonly isActive: boolean;
  /** When the document store began to refuse writes; null if it accepts them. */
  readonly storeRefusesSince: Date | null;
  /** When the account's calls began to wait; null if they do not. */
  readonly throttledSince: Date | null;
  /** Since when listings ask DocuSign for less than the maximum; null if they do not. */
  readonly slowSince: Date | null;
  /** Since when a Connect configuration is off; null if none is. */
  readonly connectOffSince: Date | null;
  /** The cause that reconciliations, imports or checks of Connect recorded for the link. */
  readonly recorded: LinkNotice | null;
};

/** Decides which notice a link shows. */
export function decideNotice(facts: NoticeFacts): LinkNotice | null {
  if (!facts.isActive) return null;
  const { recorded, storeRefusesSince, throttledSince, slowSince, connectOffSince } = facts;
  const known = new Map<NoticeCode, Date | null>([
    ["document-store-unavailable", storeRefusesSince],
    ["account-throttled", throttledSince],
    ["docusign-slow", slowSince],
    ["connect-switched-off", connectOffSince],
  ]);
  if (recorded !== null) known.set(recorded.code, recorded.since);
  for (const code of NOTICES) {
    const since = known.get(code) ?? null;
    if (since !== null) return { code, since };
  }
  return null;
}
