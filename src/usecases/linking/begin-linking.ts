import { createHash, randomBytes } from "node:crypto";
import { Refusal } from "../../domain/refusal.ts";
import { parseReturnAddress } from "../../domain/return-address.ts";
import type { Person } from "../../store/links/audit.ts";
import { hasGroup } from "../../store/links/groups.ts";
import { storeLinking } from "../../store/links/linkings.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { requireStarted } from "./start-date.ts";

/** The person who changes a link: an owner of the tenant. */
export type Owner = Person & { readonly tenant: string };

export type LinkingWish = {
  readonly groupId: string;
  /** The start date in Japan, `YYYY-MM-DD`. Null or absent: as import-rules 2 says. */
  readonly from?: string | null;
  /** True if imports are to fetch the certificate of completion too. */
  readonly certificates?: boolean;
  /** The address in the cabinet to which the browser returns, instead of the page. */
  readonly returnTo?: string;
};

const LINKING_LIVES_MS = 15 * 60 * 1000;

/**
 * Begins a linking and returns the address for the owner's browser. Only this owner can finish it, once, within 15
 * minutes. Refuses with `group-not-found`, with `link-active` unless the current link needs repair, or with `malformed`
 * if an option is invalid. A repair ignores the options.
 */
export async function beginLinking(
  deps: Uses<"cabinetOrigins" | "db" | "now" | "oauth" | "vault">,
  owner: Owner,
  { groupId, from = null, certificates = false, returnTo }: LinkingWish,
): Promise<{ authorizationUrl: string }> {
  requireStarted(from, deps.now());
  const address = returnTo === undefined ? null : requireReturnAddress(deps, returnTo);
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
    from,
    certificates,
    returnTo: address,
    codeVerifier,
    expiresAt: new Date(deps.now().getTime() + LINKING_LIVES_MS),
  });
  const codeChallenge = createHash("sha256").update(codeVerifier).digest("base64url");
  return { authorizationUrl: deps.oauth.authorizationUrl({ state, codeChallenge }) };
}

function requireReturnAddress({ cabinetOrigins }: Uses<"cabinetOrigins">, text: string): string {
  const address = parseReturnAddress(text, cabinetOrigins);
  if (address !== null) return address;
  throw new Refusal(
    "malformed",
    "body.returnTo: must be an absolute https address at an origin of CABINET_ORIGINS, without user name, password and fragment",
  );
}

/** Only the hash of a `state` is stored, so that a database dump cannot finish a linking. */
export function hashState(state: string): Buffer {
  return createHash("sha256").update(state).digest();
}
