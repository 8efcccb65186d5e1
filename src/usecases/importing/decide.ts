import type { Envelope, Person } from "../../domain/envelope.ts";
import { decideOwnership, type Ownership, type OwnershipQuestion } from "../../domain/ownership.ts";
import type { Database } from "../../store/database.ts";
import { listForwardings } from "../../store/events/forwardings.ts";
import type { Link } from "../../store/links/links.ts";

/**
 * Decides by the import rules if an envelope is the link's, using the forwardings that events reported. `groupMembers`
 * are the members of signing groups who count.
 */
export async function decide(
  db: Database,
  link: Link,
  envelope: Envelope,
  groupMembers: readonly Person[],
): Promise<Ownership> {
  const forwardings = await listForwardings(db, link.tenant, envelope.id);
  return decideOwnership({ link: ownershipView(link), envelope, forwardings, groupMembers });
}

/** The part of a link that the rules depend on. */
export function ownershipView(link: Link): OwnershipQuestion["link"] {
  return {
    accountId: link.account.id,
    userId: link.user.id,
    userEmail: link.user.email,
    sentFrom: link.sentFrom,
    receivedFrom: link.receivedFrom,
  };
}
