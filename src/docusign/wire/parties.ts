import { z } from "zod";
import type { Contact, Parties, RecipientContact } from "../../domain/envelope.ts";
import { anyField, isObject, readRows, textField } from "./fields.ts";
import { parseMoment } from "./moments.ts";

/** Parses the names and addresses of the sender and the recipients. */
export function readParties(raw: { readonly sender?: unknown; readonly recipients?: unknown }): Parties {
  const recipients = readRecipientContacts(raw.recipients);
  return { sender: readSenderContact(raw.sender), recipients: recipients.length === 0 ? null : recipients };
}

const senderRow = z.object({ userName: textField, email: textField });

function readSenderContact(raw: unknown): Contact | null {
  const { userName: name, email } = senderRow.parse(isObject(raw) ? raw : {});
  return name === null && email === null ? null : { name, email };
}

/** Everybody whom DocuSign lists under `recipients`, in its order. Every list of objects is a group. */
export function readRecipientContacts(raw: unknown): readonly RecipientContact[] {
  if (!isObject(raw)) return [];
  return Object.entries(raw).flatMap(([group, list]) =>
    (readRows(list) ?? []).flatMap((row) => readContact(group, row)),
  );
}

const recipientRow = z.object({
  name: textField,
  email: textField,
  signerName: textField,
  signerEmail: textField,
  signingGroupName: textField,
  signedDateTime: textField,
  deliveredDateTime: textField,
  notaryHost: anyField,
});

/** A signing in person shows the signer, not the host. */
function readContact(group: string, raw: Readonly<Record<string, unknown>>): RecipientContact[] {
  const row = recipientRow.parse(raw);
  const contact = {
    name: row.signerName ?? row.name ?? row.signingGroupName,
    email: row.signerEmail ?? row.email,
    role: roleOf(group),
    completedAt: parseMoment(row.signedDateTime, 0) ?? parseMoment(row.deliveredDateTime, 0),
  };
  return isObject(row.notaryHost) ? [contact, ...readContact("notaryHosts", row.notaryHost)] : [contact];
}

/** `signers` is `signer`, `carbonCopies` is `carbonCopy`, `witnesses` is `witness`. */
function roleOf(group: string): string {
  return group.replace(/ies$/, "y").replace(/(?<=ss)es$|(?<!s)s$/, "");
}
