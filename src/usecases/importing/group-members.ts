import { z } from "zod";
import type { Envelope, Person } from "../../domain/envelope.ts";
import { parseUuid, type UserId } from "../../domain/identifiers.ts";
import type { Database } from "../../store/database.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";
import { keepGroupMembers } from "../../store/ledger/group-members.ts";

const stored = z.array(
  z.object({
    userId: z
      .string()
      .nullable()
      .transform((value) => parseUuid<UserId>(value)),
    email: z.string().nullable(),
  }),
);

/**
 * Returns the members of signing groups who count as recipients: those whom DocuSign listed when the completed envelope
 * was first judged (service-2, section 3). None count if version 0.1 judged it first.
 */
export function countedMembers(entry: LedgerEntry | undefined, envelope: Envelope): readonly Person[] {
  if (entry !== undefined && entry.groupMembers !== null) return stored.parse(entry.groupMembers);
  return wasJudged(entry) ? [] : (envelope.groupMembers ?? []);
}

/** Returns the members to keep with the first judgement; null if there is no signing group, or it is not the first. */
export function membersToKeep(
  entry: LedgerEntry | undefined,
  { status, groupMembers }: Envelope,
): readonly Person[] | null {
  const isFirst = entry === undefined || (entry.groupMembers === null && !wasJudged(entry));
  return isFirst && status === "completed" ? groupMembers : null;
}

/** Does what `countedMembers` does, and keeps the members of a first judgement. */
export async function settleMembers(
  db: Database,
  entry: LedgerEntry,
  envelope: Envelope,
): Promise<readonly Person[]> {
  const members = membersToKeep(entry, envelope);
  if (members === null) return countedMembers(entry, envelope);
  return stored.parse(await keepGroupMembers(db, entry, members));
}

const judged = z.looseObject({ status: z.literal("completed"), matched: z.array(z.unknown()) });

/** The facts of a judgement contain the recipients who match the user, if the recipients were known. */
function wasJudged(entry: LedgerEntry | undefined): boolean {
  return judged.safeParse(entry?.facts).success;
}
