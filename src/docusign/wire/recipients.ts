import { z } from "zod";
import type { Person, Recipient } from "../../domain/envelope.ts";
import { anyField, isObject, readRows, readText, readUserId, textField, userIdField } from "./fields.ts";

const recipientRow = z.object({
  recipientId: textField,
  recipientIdGuid: textField,
  userId: userIdField,
  email: textField,
  hostEmail: textField,
  notaryHost: anyField,
  delegatedBy: anyField,
  delegatedTo: anyField,
  DelegatedBy: anyField,
  DelegatedTo: anyField,
  signingGroupId: textField,
  signingGroupUsers: anyField,
});

/**
 * Returns everybody whom DocuSign lists under `recipients`, in any group: every list of objects is a group. Returns null
 * if there is no such object.
 * `readGroupMembers` returns the members of signing groups.
 */
export function readRecipients(raw: unknown): readonly Recipient[] | null {
  if (!isObject(raw)) return null;
  return Object.entries(raw).flatMap(([group, list]) =>
    (readRows(list) ?? []).flatMap((row) => readRecipient(group, row)),
  );
}

/** Returns the members of all signing groups under `recipients`. Returns null if no recipient is a signing group. */
export function readGroupMembers(raw: unknown): readonly Person[] | null {
  const rows = isObject(raw) ? Object.values(raw).flatMap((list) => readRows(list) ?? []) : [];
  const groups = rows
    .map((row) => recipientRow.parse(row))
    .filter((row) => row.signingGroupId !== null || readRows(row.signingGroupUsers) !== null);
  if (groups.length === 0) return null;
  return groups.flatMap((row) => (readRows(row.signingGroupUsers) ?? []).map(readDelegate)).filter(isNamed);
}

function isNamed(person: Person): boolean {
  return person.userId !== null || person.email !== null;
}

function readRecipient(group: string, raw: unknown): Recipient[] {
  const row = recipientRow.parse(raw);
  const recipient: Recipient = {
    group,
    recipientId: row.recipientId,
    recipientGuid: row.recipientIdGuid,
    userId: row.userId,
    // An in-person signer is the host's guest: DocuSign routes the envelope to the host.
    email: row.hostEmail ?? row.email,
    delegatedBy: readDelegations(row.delegatedBy ?? row.DelegatedBy)[0] ?? null,
    delegatedTo: readDelegations(row.delegatedTo ?? row.DelegatedTo),
  };
  return isObject(row.notaryHost)
    ? [recipient, ...readRecipient("notaryHosts", row.notaryHost)]
    : [recipient];
}

/** `delegatedBy` is one object, `delegatedTo` a list, in lower case or capitalised. Both are parsed as lists. */
function readDelegations(raw: unknown): readonly Person[] {
  const rows = isObject(raw) ? [raw] : (readRows(raw) ?? []);
  return rows.map(readDelegate).filter(isNamed);
}

function readDelegate(raw: Readonly<Record<string, unknown>>): Person {
  const fields = new Map(Object.entries(raw).map(([name, value]) => [name.toLowerCase(), value]));
  return { userId: readUserId(fields.get("userid")), email: readText(fields.get("email")) };
}
