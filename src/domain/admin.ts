/** Names of the permission profiles that count as DS Admin; `*` accepts any profile with the rights. */
export type AdminProfiles = readonly string[];

export type AdminFacts = {
  readonly isAdmin: boolean;
  readonly accountWideAccess: boolean;
  readonly profileName: string | null;
  /** `Active`, `Closed`, …; null if DocuSign does not report it. */
  readonly status: string | null;
};

/**
 * Returns true if the user may be linked (import-rules 5): an active account administrator with API access to all
 * envelopes of the account and one of the given profiles. Names are compared case-insensitively.
 */
export function isDsAdmin(user: AdminFacts, profiles: AdminProfiles): boolean {
  if (!user.isAdmin || !user.accountWideAccess || !isActive(user.status)) return false;
  const name = user.profileName?.trim().toLowerCase();
  return profiles.some((profile) => profile === "*" || profile.toLowerCase() === name);
}

/** An unknown status counts as active. */
export function isActive(status: string | null): boolean {
  return status === null || status.toLowerCase() === "active";
}
