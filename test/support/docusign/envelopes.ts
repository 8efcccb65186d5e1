import { randomUUID } from "node:crypto";
import { type Content, contentOf, pdfContent } from "./pdf.ts";
import {
  type Account,
  type DocuSignState,
  type Envelope,
  type EnvelopeDocument,
  indexRecipients,
  type Recipient,
  type SigningGroup,
  type User,
} from "./state.ts";

export type DocumentWish = {
  /** Defaults to a PDF that shows the document's name, padded to `sizeInBytes` if that is given. */
  bytes?: Buffer;
  sizeInBytes?: number;
  name: string;
  type?: string;
  documentId?: string;
  pages?: number;
};

export type RecipientWish = {
  /** Somebody DocuSign knows; else name and e-mail address, which then carry no user id. */
  user?: User;
  name?: string;
  email?: string;
  /** The place belongs to this group. `user` is the member who signs; without, DocuSign names nobody. */
  signingGroup?: SigningGroup;
  /** `signers` by default; any name, as DocuSign may add groups. */
  group?: string;
};

export type EnvelopeWish = {
  from: User;
  /** A random one by default. */
  envelopeId?: string;
  /** The sending account; by default the default account of the sender. */
  account?: Account;
  to?: readonly (User | RecipientWish)[];
  documents?: readonly DocumentWish[];
  subject?: string;
  sentAt?: Date;
};

/** Puts an envelope under way: sent, not signed by anybody yet. */
export function createEnvelope(state: DocuSignState, wish: EnvelopeWish): Envelope {
  const accountId = wish.account?.accountId ?? wish.from.defaultAccountId;
  const sentAt = wish.sentAt ?? state.now();
  const subject = wish.subject ?? "ご契約のお願い";
  const envelope: Envelope = {
    envelopeId: wish.envelopeId ?? randomUUID(),
    accountId,
    senderId: wish.from.userId,
    subject,
    status: "sent",
    createdAt: sentAt,
    sentAt,
    completedAt: null,
    voidedAt: null,
    declinedAt: null,
    deletedAt: null,
    statusChangedAt: sentAt,
    purgeState: "unpurged",
    recipients: (wish.to ?? []).map((to, index) => createRecipient(to, index)),
    documents: (wish.documents ?? [{ name: "契約書.pdf" }]).map((document, index) =>
      createDocument(document, index),
    ),
    purgedDocuments: [],
    refusalOfDocuments: null,
    inListing: {
      hiddenUntil: null,
      extraneous: false,
      atPageEnds: false,
      placedAt: null,
      withoutRecipients: false,
      rowsInstead: null,
    },
  };
  state.envelopes.set(envelope.envelopeId, envelope);
  state.sentBy.get(accountId)?.push(envelope);
  indexRecipients(state, envelope);
  return envelope;
}

/** A place in the routing: the wished-for person, waiting to sign. */
export function createRecipient(wish: User | RecipientWish, index: number): Recipient {
  const { user = null, signingGroup = null, ...rest } = asWish(wish);
  const { name = user?.name ?? signingGroup?.name, group = "signers" } = rest;
  const { email = user?.email ?? (signingGroup === null ? undefined : "") } = rest;
  return {
    group,
    recipientId: String(index + 1),
    recipientIdGuid: randomUUID(),
    userId: user?.userId ?? null,
    name: name ?? "受信者",
    email: email ?? "recipient@example.com",
    routingOrder: index + 1,
    status: "sent",
    deliveredAt: null,
    signedAt: null,
    delegatedTo: [],
    delegatedBy: null,
    signingGroup,
  };
}

function asWish(wish: User | RecipientWish): RecipientWish {
  return "userId" in wish ? { user: wish } : wish;
}

function createDocument(wish: DocumentWish, index: number): EnvelopeDocument {
  const documentIdGuid = randomUUID();
  return {
    documentId: wish.documentId ?? String(index + 1),
    documentIdGuid,
    name: wish.name,
    type: wish.type ?? "content",
    pages: wish.pages ?? 1,
    content: contentOfWish(wish, documentIdGuid),
  };
}

/** The document's GUID is part of its text, so that no two documents have the same bytes. */
function contentOfWish(wish: DocumentWish, documentIdGuid: string): Content {
  if (wish.bytes !== undefined) return contentOf(wish.bytes);
  return pdfContent(`${wish.name} ${documentIdGuid}`, wish.sizeInBytes);
}
