import { apiDate } from "./formats.ts";
import type { Delegation, DocuSignState, Envelope, Recipient } from "./state.ts";

type Json = Record<string, unknown>;

export type Includes = { readonly recipients: boolean; readonly documents: boolean };

/** How an answer writes moments: the API and Connect differ. */
export type DateFormat = (date: Date) => string;

/** The envelope in DocuSign's words; what has not happened is left out. */
export function envelopeAnswer(
  state: DocuSignState,
  envelope: Envelope,
  include: Includes,
  date: DateFormat = apiDate,
): Json {
  const uri = `/envelopes/${envelope.envelopeId}`;
  return {
    status: envelope.status,
    documentsUri: `${uri}/documents`,
    recipientsUri: `${uri}/recipients`,
    attachmentsUri: `${uri}/attachments`,
    envelopeUri: uri,
    emailSubject: envelope.subject,
    envelopeId: envelope.envelopeId,
    signingLocation: "online",
    customFieldsUri: `${uri}/custom_fields`,
    notificationUri: `${uri}/notification`,
    enableWetSign: "true",
    allowMarkup: "false",
    allowReassign: "true",
    ...moments(envelope, date),
    documentsCombinedUri: `${uri}/documents/combined`,
    certificateUri: `${uri}/documents/${envelope.completedAt === null ? "summary" : "certificate"}`,
    templatesUri: `${uri}/templates`,
    sender: senderAnswer(state, envelope),
    purgeState: envelope.purgeState,
    ...SETTINGS,
    ...(include.recipients ? { recipients: recipientsAnswer(envelope, date) } : {}),
    ...(include.documents ? { envelopeDocuments: documentsAnswer(envelope) } : {}),
  };
}

const SETTINGS: Json = {
  envelopeIdStamping: "true",
  is21CFRPart11: "false",
  signerCanSignOnMobile: "true",
  autoNavigation: "true",
  isSignatureProviderEnvelope: "false",
  hasFormDataChanged: "false",
  allowComments: "true",
  hasComments: "false",
  allowViewHistory: "true",
  envelopeMetadata: { allowAdvancedCorrect: "true", enableSignWithNotary: "false", allowCorrect: "true" },
  anySigner: null,
  envelopeLocation: "current_site",
  isDynamicEnvelope: "false",
};

function moments(envelope: Envelope, date: DateFormat): Json {
  const dates = {
    createdDateTime: envelope.createdAt,
    // Real envelopes show the moment of creation here, whatever happened since.
    lastModifiedDateTime: envelope.createdAt,
    initialSentDateTime: envelope.sentAt,
    sentDateTime: envelope.sentAt,
    deliveredDateTime: envelope.completedAt,
    completedDateTime: envelope.completedAt,
    voidedDateTime: envelope.voidedAt,
    declinedDateTime: envelope.declinedAt,
    deletedDateTime: envelope.deletedAt,
    statusChangedDateTime: envelope.statusChangedAt,
  };
  return Object.fromEntries(
    Object.entries(dates).flatMap(([name, moment]) => (moment === null ? [] : [[name, date(moment)]])),
  );
}

function senderAnswer(state: DocuSignState, envelope: Envelope): Json {
  const sender = state.users.get(envelope.senderId);
  return {
    userName: sender?.name,
    userId: envelope.senderId,
    accountId: envelope.accountId,
    email: sender?.email,
  };
}

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
    recipientType: singular(recipient.group.toLowerCase()),
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

/** The documents of the envelope, the certificate last. */
export function documentsAnswer(envelope: Envelope): Json[] {
  return envelope.documents.map((document, index) => ({
    documentId: document.documentId,
    documentIdGuid: document.documentIdGuid,
    name: document.name,
    type: document.type,
    uri: `/envelopes/${envelope.envelopeId}/documents/${document.documentId}`,
    order: document.documentId === "certificate" ? "999" : String(index + 1),
    pages: Array.from({ length: document.pages }, (_, page) => ({
      pageId: `${document.documentIdGuid}-${page + 1}`,
      sequence: String(page + 1),
      height: "842",
      width: "595",
      dpi: "72",
    })),
    display: "inline",
    includeInDownload: "true",
    signerMustAcknowledge: "no_interaction",
    templateRequired: "false",
    authoritativeCopy: "false",
  }));
}
