import { z } from "zod";
import type { Envelope } from "../../domain/envelope.ts";
import { type AccountId, parseUuid, type UserId } from "../../domain/identifiers.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";

/** Serializes a listed envelope for the ledger, which keeps it until its import. */
export function writeListing(envelope: Envelope): object {
  return { ...envelope, completedAt: envelope.completedAt?.toISOString() ?? null };
}

/** Returns the envelope as it was listed; null if it must be fetched from DocuSign. */
export function readListing(entry: LedgerEntry): Envelope | null {
  if (entry.listing === null) return null;
  const { completedAt, ...listed } = listing.parse(entry.listing);
  return {
    ...listed,
    id: entry.envelopeId,
    completedAt: completedAt === null ? null : new Date(completedAt),
  };
}

const text = z.string().nullable();
const userId = text.transform((value) => parseUuid<UserId>(value));
const person = z.object({ userId, email: text });

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
});
