import { apiDate, type DateFormat } from "./formats.ts";
import type { Delegation, Envelope, Recipient, SigningGroup } from "./state.ts";

type Json = Record<string, unknown>;

/** All groups, the empty ones too, as DocuSign gives them. */
export function recipientsAnswer(envelope: Envelope, date: DateFormat = apiDate): Json {
  const groups: Record<string, Json[]> = Object.fromEntries(GROUPS.map((group) => [group, []]));
  for (const recipient of envelope.recipients) {
    const group = groups[recipient.group] ?? [];
    groups[recipient.group] = [...group, recipientAnswer(envelope, recipient, date)];
  }
  return { ...groups, recipientCount: String(envelope.recipients.length), currentRoutingOrder: "1" };
}

const GROUPS = [
  "signers",
  "agents",
  "editors",
  "intermediaries",
  "carbonCopies",
  "certifiedDeliveries",
  "inPersonSigners",
  "seals",
  "witnesses",
  "notaries",
];

function recipientAnswer(envelope: Envelope, recipient: Recipient, date: DateFormat): Json {
  return {
    ...nameOf(recipient),
    recipientId: recipient.recipientId,
    recipientIdGuid: recipient.recipientIdGuid,
    requireIdLookup: "false",
    ...(recipient.userId === null ? {} : { userId: recipient.userId }),
    routingOrder: String(recipient.routingOrder),
    note: "",
    status: recipient.status,
    completedCount: "0",
    deliveryMethod: "email",
    sentDateTime: date(envelope.sentAt),
    ...(recipient.deliveredAt === null ? {} : { deliveredDateTime: date(recipient.deliveredAt) }),
    ...(recipient.signedAt === null ? {} : { signedDateTime: date(recipient.signedAt) }),
    ...(recipient.delegatedBy === null ? {} : { delegatedBy: delegationAnswer(recipient.delegatedBy) }),
    ...(recipient.delegatedTo.length === 0
      ? {}
      : { delegatedTo: recipient.delegatedTo.map(delegationAnswer) }),
    ...(recipient.signingGroup === null ? {} : signingGroupAnswer(recipient.signingGroup)),
    recipientType: singular(recipient.group.toLowerCase()),
  };
}

function signingGroupAnswer({ groupId, name, shown }: SigningGroup): Json {
  return {
    signingGroupId: groupId,
    signingGroupName: name,
    signingGroupUsers: shown.map((user) => ({
      userName: user.name,
      userId: user.userId,
      email: user.email,
      uri: `/users/${user.userId}`,
    })),
  };
}

/** `carboncopies` is `carboncopy`, `witnesses` is `witness`, `signers` is `signer`. */
function singular(group: string): string {
  return group.replace(/ies$/, "y").replace(/(?<=ss)es$|(?<!s)s$/, "");
}

/** The host is DocuSign's recipient of an in-person signing; who signs there has no account. */
function nameOf(recipient: Recipient): Json {
  if (recipient.group === "seals") return { name: recipient.name };
  if (recipient.group !== "inPersonSigners") return { name: recipient.name, email: recipient.email };
  return { hostName: recipient.name, hostEmail: recipient.email, signerName: "来訪者", name: "来訪者" };
}

function delegationAnswer({ name, email, userId, spelling }: Delegation): Json {
  if (spelling === "capitalised")
    return { Name: name, Email: email, ...(userId === null ? {} : { UserId: userId }) };
  return { name, email, ...(userId === null ? {} : { userId }) };
}
