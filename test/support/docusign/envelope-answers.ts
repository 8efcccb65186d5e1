import { apiDate, type DateFormat } from "./formats.ts";
import { recipientsAnswer } from "./recipient-answers.ts";
import type { DocuSignState, Envelope } from "./state.ts";

type Json = Record<string, unknown>;

export type Includes = { readonly recipients: boolean; readonly documents: boolean };

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
    // Only `current_site` and `not_specified` are documented.
    envelopeLocation: envelope.refusalOfDocuments === null ? "current_site" : "other_site",
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
