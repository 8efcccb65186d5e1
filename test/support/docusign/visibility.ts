import type { DocuSignState, Envelope, User } from "./state.ts";

/**
 * True if DocuSign routed the envelope to the user: by user id, by e-mail address only where the id is absent, or as a
 * member of a signing group.
 */
function isReceivedBy(envelope: Envelope, user: User): boolean {
  const groups = envelope.recipients.flatMap(({ signingGroup }) => [...(signingGroup?.members ?? [])]);
  if (groups.some(({ userId }) => userId === user.userId)) return true;
  return envelope.recipients.some((recipient) =>
    recipient.userId === null
      ? recipient.email.toLowerCase() === user.email.toLowerCase()
      : recipient.userId === user.userId,
  );
}

type Asked = {
  readonly userFilter: string | null;
  /** True if received envelopes are shown only on request. */
  readonly receivedApart: boolean;
};

/** The envelopes that a listing may show: what the account sent to its administrators, to others their own. */
export function visibleEnvelopes(
  state: DocuSignState,
  user: User,
  accountId: string,
  { userFilter, receivedApart }: Asked,
): Envelope[] {
  const sent = state.sentBy.get(accountId) ?? [];
  const listOwn = (): Envelope[] => sent.filter((envelope) => envelope.senderId === user.userId);
  if (userFilter === "sender") return listOwn();
  const received = receivedEnvelopes(state, user);
  if (userFilter === "recipient") return received;
  if (userFilter === "recipient_only")
    return received.filter((envelope) => envelope.senderId !== user.userId);
  if (hasAccountWideAccess(user, accountId)) return sent;
  return receivedApart ? listOwn() : [...new Set([...listOwn(), ...received])];
}

export type Sight = "visible" | "not-yours" | "unknown";

/** True if the user may read this envelope by its id through this account. */
export function sightOf(envelope: Envelope, user: User, accountId: string): Sight {
  if (isReceivedBy(envelope, user)) return "visible";
  if (envelope.accountId !== accountId) return "unknown";
  if (envelope.senderId === user.userId || hasAccountWideAccess(user, accountId)) return "visible";
  return "not-yours";
}

function receivedEnvelopes(state: DocuSignState, user: User): Envelope[] {
  const keys = [user.userId, user.email.toLowerCase()];
  const byKey = keys.flatMap((key) => [...(state.receivedBy.get(key) ?? [])]);
  const candidates = new Set([...byKey, ...state.sentToGroups]);
  return [...candidates].filter((envelope) => isReceivedBy(envelope, user));
}

function hasAccountWideAccess(user: User, accountId: string): boolean {
  const membership = user.memberships.get(accountId);
  return membership !== undefined && membership.isAdmin && membership.apiAccountWideAccess;
}
