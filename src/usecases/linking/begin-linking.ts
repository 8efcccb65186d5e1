import { createHash, randomBytes } from "node:crypto";
import { Refusal } from "../../domain/refusal.ts";
import type { Person } from "../../store/links/audit.ts";
import { hasGroup } from "../../store/links/groups.ts";
import { storeLinking } from "../../store/links/linkings.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";

/** The person who changes a link: an owner of the tenant. */
export type Owner = Person & { readonly tenant: string };

const LINKING_LIVES_MS = 15 * 60 * 1000;

/**
 * Begins a linking and returns the address for the owner's browser. Only this owner can finish it, once, within 15
 * minutes. Refuses with `group-not-found`, or with `link-active` unless the current link needs repair.
 */
export async function beginLinking(
  deps: Uses<"db" | "now" | "oauth" | "vault">,
  owner: Owner,
  groupId: string,
): Promise<{ authorizationUrl: string }> {
  const link = await findCurrentLink(deps.db, owner.tenant);
  if (link !== null && link.state !== "error")
    throw new Refusal("link-active", "A link is active; end it first.");
  if (!(await hasGroup(deps.db, owner.tenant, groupId))) throw new Refusal("group-not-found");
  const state = randomBytes(32).toString("base64url");
  const codeVerifier = randomBytes(32).toString("base64url");
  await storeLinking(deps.db, deps.vault, hashState(state), {
    tenant: owner.tenant,
    subject: owner.subject,
    groupId,
    codeVerifier,
    expiresAt: new Date(deps.now().getTime() + LINKING_LIVES_MS),
  });
  const codeChallenge = createHash("sha256").update(codeVerifier).digest("base64url");
  return { authorizationUrl: deps.oauth.authorizationUrl({ state, codeChallenge }) };
}

/** Only the hash of a `state` is stored, so that a database dump cannot finish a linking. */
export function hashState(state: string): Buffer {
  return createHash("sha256").update(state).digest();
}
