import type { ConnectConfiguration } from "./connect-configuration.ts";
import type { Content } from "./pdf.ts";

/** A DocuSign account: what an organisation pays for. */
export type Account = {
  readonly accountId: string;
  readonly name: string;
  readonly plan: string;
  /** True if the plan has Connect at all, and Recipient Connect beyond it. */
  connect: boolean;
  recipientConnect: boolean;
  /** Keys of the account's own Connect settings; integrator-managed configurations do not use them. */
  readonly hmacKeys: readonly string[];
  readonly configurations: Map<string, ConnectConfiguration>;
  /** Failed deliveries, as DocuSign's log shows them. */
  readonly failures: { readonly connectId: string; readonly status: string; readonly error: string }[];
  /** DocuSign's error code for every call of /connect, if a test asked for it. */
  connectRefusal: string | null;
  /** The site that DocuSign moved the account to, and how the old one answers; null without a move. */
  moved: { readonly site: string; readonly oldSite: OldSite } | null;
  /** Fields that its list of configurations shows instead, if a test set them. */
  shownConfiguration: (there: ConnectConfiguration) => Readonly<Record<string, unknown>>;
};

/** How the old site answers calls for an account that moved away. */
export type OldSite = "no connection" | "404 HTML" | "401" | "307" | "unknown 400" | "silence";

export type Role = "DS Admin" | "DS Sender" | "DS Viewer" | "custom";

/** A user's membership of one account. */
export type Membership = {
  role: Role;
  isAdmin: boolean;
  apiAccountWideAccess: boolean;
  profileName: string;
  profileId: string;
  /** `Active`, `Closed`, or another of DocuSign's words. */
  status: string;
};

export type User = {
  readonly userId: string;
  readonly name: string;
  email: string;
  /** By account id. */
  readonly memberships: Map<string, Membership>;
  defaultAccountId: string;
};

export type Delegation = {
  readonly name: string;
  readonly email: string;
  readonly userId: string | null;
  /** DocuSign has written these fields both ways. */
  readonly spelling: "lower" | "capitalised";
};

/** Anybody of a signing group may sign, and all its members receive the completed envelope. */
export type SigningGroup = {
  readonly groupId: string;
  readonly name: string;
  /** Those who see its envelopes. */
  readonly members: Set<User>;
  /** Its members today, whom DocuSign lists. */
  shown: readonly User[];
};

export type Recipient = {
  /** DocuSign's group: `signers`, `carbonCopies`, … an open set. */
  group: string;
  readonly recipientId: string;
  readonly recipientIdGuid: string;
  readonly userId: string | null;
  readonly name: string;
  readonly email: string;
  readonly routingOrder: number;
  status: string;
  deliveredAt: Date | null;
  signedAt: Date | null;
  readonly delegatedTo: Delegation[];
  delegatedBy: Delegation | null;
  /** The group whose place this is; name, address and user are those of the member who signed, if any. */
  readonly signingGroup: SigningGroup | null;
};

export type EnvelopeDocument = {
  readonly documentId: string;
  readonly documentIdGuid: string;
  readonly name: string;
  /** `content`, `summary` (the certificate), or what a test invents. */
  readonly type: string;
  readonly pages: number;
  readonly content: Content;
};

export type Envelope = {
  readonly envelopeId: string;
  readonly accountId: string;
  readonly senderId: string;
  readonly subject: string;
  status: string;
  readonly createdAt: Date;
  readonly sentAt: Date;
  completedAt: Date | null;
  voidedAt: Date | null;
  declinedAt: Date | null;
  deletedAt: Date | null;
  statusChangedAt: Date;
  purgeState: string;
  recipients: Recipient[];
  documents: EnvelopeDocument[];
  /** Purged documents of which DocuSign serves a placeholder. */
  purgedDocuments: readonly EnvelopeDocument[];
  /** How downloads are refused because another site holds the documents; null if they are here. */
  refusalOfDocuments: { readonly status: number; readonly errorCode: string } | null;
  readonly inListing: {
    /** The index does not know the envelope before this moment. */
    hiddenUntil: Date | null;
    /** Listed although the filter does not ask for it. */
    extraneous: boolean;
    /** Listed at the end of every page, as if there were no order. */
    atPageEnds: boolean;
    /** Listed where envelopes that completed at this moment are, against the order. */
    placedAt: Date | null;
    withoutRecipients: boolean;
    /** The rows listed instead of its own. */
    rowsInstead: ((row: Readonly<Record<string, unknown>>) => readonly object[]) | null;
  };
};

/** The complete state of DocuSign. */
export type DocuSignState = {
  readonly now: () => Date;
  readonly accounts: Map<string, Account>;
  readonly users: Map<string, User>;
  readonly envelopes: Map<string, Envelope>;
  /** In the order of sending, so that a listing need not look at other accounts' envelopes. */
  readonly sentBy: Map<string, Envelope[]>;
  /** By user id, and by lower-case e-mail address if the recipient has no user id. */
  readonly receivedBy: Map<string, Set<Envelope>>;
  /** Envelopes with a signing group, whose members may change. */
  readonly sentToGroups: Set<Envelope>;
};

/** A DocuSign in which nobody has done anything yet; `now` is its clock. */
export function createDocuSignState(now: () => Date = () => new Date()): DocuSignState {
  return {
    now,
    accounts: new Map(),
    users: new Map(),
    envelopes: new Map(),
    sentBy: new Map(),
    receivedBy: new Map(),
    sentToGroups: new Set(),
  };
}

/** The user's place in the account; throws if there is none, as the test then asks for the impossible. */
export function membershipOf(user: User, account: Account): Membership {
  const membership = user.memberships.get(account.accountId);
  if (membership === undefined) throw new Error(`${user.name} is no member of ${account.name}`);
  return membership;
}

/** Lets listings of received envelopes find this envelope. */
export function indexRecipients(state: DocuSignState, envelope: Envelope): void {
  for (const recipient of envelope.recipients) {
    if (recipient.signingGroup !== null) state.sentToGroups.add(envelope);
    const key = recipient.userId ?? recipient.email.toLowerCase();
    const received = state.receivedBy.get(key) ?? new Set();
    state.receivedBy.set(key, received.add(envelope));
  }
}
