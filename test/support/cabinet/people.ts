/** Somebody who can sign in at the cabinet. */
export type Person = {
  readonly sub: string;
  readonly name: string;
  /** Without a tenant, or as a guest, a person may sign in but has no business on the page. */
  readonly tenant?: string;
  readonly role?: "owner" | "member" | "guest";
};
