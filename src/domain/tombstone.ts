import type { AccountId, ContractId, EnvelopeId, LinkId, UserId } from "./identifiers.ts";

/**
 * A deletion as the document store remembers it, for a database that is set back to before it. Holds ids and times only:
 * no name, no address.
 */
export type Tombstone = ContractTombstone | LinkTombstone | TenantTombstone;

export type ContractTombstone = {
  readonly kind: "contract";
  readonly id: ContractId;
  readonly tenant: string;
  readonly envelopeId: EnvelopeId;
  readonly documentId: string;
  readonly deletedAt: Date;
};

/** `deletedAt` is the end of the link. `…Until` is end(l) of import-rules 2.3, as computed before the deletion. */
export type LinkTombstone = {
  readonly kind: "link";
  readonly id: LinkId;
  readonly tenant: string;
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly deletedAt: Date;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
  readonly sentUntil: Date | null;
  readonly receivedUntil: Date | null;
};

export type TenantTombstone = {
  readonly kind: "tenant";
  readonly tenant: string;
  readonly deletedAt: Date;
};

type Ends = Pick<LinkTombstone, "sentUntil" | "receivedUntil">;

/**
 * Returns the earlier of two ends of a link, for each side. A database that was set back has lost part of what the link
 * accounted for, and its tombstone does not know of what failed since. Import-rules 2.2 makes the wider window safe.
 */
export function earlierEnds(one: Ends, other: Ends): Ends {
  return {
    sentUntil: earlier(one.sentUntil, other.sentUntil),
    receivedUntil: earlier(one.receivedUntil, other.receivedUntil),
  };
}

/** Null means that the link began with all history and accounted for nothing. */
function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return null;
  return one < other ? one : other;
}
