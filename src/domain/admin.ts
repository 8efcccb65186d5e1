/** Names of permission profiles that count as DS Admin; `*` for any with the rights. */
export type AdminProfiles = readonly string[];

export type AdminFacts = {
  readonly isAdmin: boolean;
  readonly accountWideAccess: boolean;
  readonly profileName: string | null;
  /** DocuSign's word: `Active`, `Closed`, …; null where it does not say. */
  readonly status: string | null;
};

/**
 * Whether a user may be linked (import-rules 5): an active account administrator who reaches the whole account's
 * envelopes through the API, with one of DocuSign's own admin profiles. Names are compared without case.
 */
export function isDsAdmin(user: AdminFacts, profiles: AdminProfiles): boolean {
  if (!user.isAdmin || !user.accountWideAccess || !isActive(user.status)) return false;
  const name = user.profileName?.trim().toLowerCase();
  return profiles.some((profile) => profile === "*" || profile.toLowerCase() === name);
}

/** Whether a user of that status may be active: one that DocuSign does not name counts as such. */
export function isActive(status: string | null): boolean {
  return status === null || status.toLowerCase() === "active";
}
