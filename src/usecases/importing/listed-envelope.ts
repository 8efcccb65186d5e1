import { z } from "zod";
import type { Envelope } from "../../domain/envelope.ts";
import { type AccountId, parseUuid, type UserId } from "../../domain/identifiers.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";

/** An envelope as DocuSign returned it at a time. */
export type ReadEnvelope = { readonly envelope: Envelope; readonly readAt: Date };

/** Serializes an envelope that was just listed for the ledger, which keeps it until its import. */
export function writeListing(envelope: Envelope, listedAt: Date): object {
  return {
    ...envelope,
    completedAt: envelope.completedAt?.toISOString() ?? null,
    listedAt: listedAt.toISOString(),
  };
}

/** Returns the envelope as it was listed; null if it must be fetched from DocuSign. */
export function readListing(entry: LedgerEntry): ReadEnvelope | null {
  if (entry.listing === null) return null;
  const { completedAt, listedAt, ...listed } = listing.parse(entry.listing);
  const envelope = {
    ...listed,
    id: entry.envelopeId,
    completedAt: completedAt === null ? null : new Date(completedAt),
  };
  return { envelope, readAt: new Date(listedAt ?? 0) };
}

const FRESH_MS = 60_000;

/**
 * Documents may be purged while an envelope waits, and DocuSign then returns a placeholder for each. Documents are
 * therefore downloaded only if DocuSign returned the envelope at most a minute ago.
 */
export function isFresh(readAt: Date, now: Date): boolean {
  return readAt >= staleBefore(now);
}

/** Answers that DocuSign gave before this time are not fresh. */
export function staleBefore(now: Date): Date {
  return new Date(now.getTime() - FRESH_MS);
}

const text = z.string().nullable();
const userId = text.transform((value) => parseUuid<UserId>(value));
const person = z.object({ userId, email: text });

const contact = z.object({ name: text, email: text });
const parties = z.object({
  sender: contact.nullable(),
  recipients: z
    .array(contact.extend({ role: z.string(), completedAt: z.coerce.date().nullable() }))
    .nullable(),
});

const listing = z.object({
  status: z.string(),
  completedAt: text,
  subject: text,
  sender: person.extend({ accountId: text.transform((value) => parseUuid<AccountId>(value)) }),
  recipients: z
    .array(
      person.extend({
        group: z.string(),
        recipientId: text,
        recipientGuid: text,
        delegatedBy: person.nullable(),
        delegatedTo: z.array(person),
      }),
    )
    .nullable(),
  documents: z
    .array(
      z.object({
        documentId: z.string(),
        documentGuid: text,
        name: z.string(),
        type: z.string(),
        pages: z.number().nullable(),
      }),
    )
    .nullable(),
  purgeState: text,
  // Version 0.1 did not write these.
  isOnAnotherSite: z.boolean().default(false),
  groupMembers: z.array(person).nullable().default(null),
  parties: parties.default({ sender: null, recipients: null }),
  listedAt: text.default(null),
});
