import { localDate } from "./formats.ts";
import type { DocuSignState, Envelope, EnvelopeDocument, Recipient } from "./state.ts";
import { type Element, element, list, writeXml, type XmlStyle } from "./xml.ts";

export type XmlMessageOptions = XmlStyle & {
  generatedAt?: Date;
  /** Whole hours from UTC of the times in the message; null leaves the time zone unsaid. */
  timeZoneOffset?: number | null;
  /** The hours by which times are shifted if the zone is left unsaid. */
  unsaidOffset?: number;
  timeZone?: string;
  /** Puts the documents' contents in. */
  documents?: boolean;
  /** The short account number that the configuration may add as a custom field. */
  senderAccount?: string;
};

/** A Connect message in the legacy XML format. All times are local times of the one offset. */
export function xmlMessage(
  state: DocuSignState,
  envelope: Envelope,
  options: XmlMessageOptions = {},
): Buffer {
  const { timeZoneOffset = -7, timeZone = "Pacific Standard Time" } = options;
  const offset = timeZoneOffset ?? options.unsaidOffset ?? -7;
  const root = element("DocuSignEnvelopeInformation", [
    envelopeStatus(state, envelope, options, offset),
    ...(options.documents === true ? [list("DocumentPDFs", envelope.documents.map(documentPdf))] : []),
    ...(timeZoneOffset === null
      ? []
      : [element("TimeZone", timeZone), element("TimeZoneOffset", String(timeZoneOffset))]),
  ]);
  return writeXml(root, options);
}

function envelopeStatus(
  state: DocuSignState,
  envelope: Envelope,
  options: XmlMessageOptions,
  offset: number,
): Element {
  const sender = state.users.get(envelope.senderId);
  // Real messages say the last change for every step: the earlier moments are lost.
  const changed = localDate(envelope.statusChangedAt, offset);
  const steps = envelope.status === "completed" ? ["Sent", "Delivered", "Signed", "Completed"] : ["Sent"];
  return element("EnvelopeStatus", [
    list(
      "RecipientStatuses",
      envelope.recipients.map((recipient) => recipientStatus(envelope, recipient, offset)),
    ),
    element("TimeGenerated", localDate(options.generatedAt ?? state.now(), offset)),
    element("EnvelopeID", envelope.envelopeId),
    element("Subject", envelope.subject),
    element("UserName", sender?.name ?? ""),
    element("Email", sender?.email ?? ""),
    element("Status", capitalised(envelope.status)),
    element("Created", localDate(envelope.createdAt, offset)),
    ...steps.map((step) => element(step, changed)),
    element("ACStatus", "Original"),
    element("ACStatusDate", localDate(envelope.createdAt, offset)),
    element("ACHolder", sender?.name ?? ""),
    element("ACHolderEmail", sender?.email ?? ""),
    element("ACHolderLocation", "DocuSign"),
    element("SigningLocation", "Online"),
    element("SenderIPAddress", "192.0.2.1"),
    element("EnvelopePDFHash", ""),
    ...customFields(options.senderAccount),
    element("AutoNavigation", "true"),
    element("EnvelopeIdStamping", "true"),
    element("AuthoritativeCopy", "false"),
    list("DocumentStatuses", envelope.documents.filter(isContent).map(documentStatus)),
  ]);
}

function isContent(document: EnvelopeDocument): boolean {
  return document.type === "content";
}

function recipientStatus(envelope: Envelope, recipient: Recipient, offset: number): Element {
  const { deliveredAt, signedAt } = recipient;
  return element("RecipientStatus", [
    element("Type", RECIPIENT_TYPES[recipient.group] ?? "Signer"),
    element("Email", recipient.email),
    element("UserName", recipient.name),
    element("RoutingOrder", String(recipient.routingOrder)),
    element("Sent", localDate(envelope.sentAt, offset)),
    ...(deliveredAt === null ? [] : [element("Delivered", localDate(deliveredAt, offset))]),
    ...(signedAt === null ? [] : [element("Signed", localDate(signedAt, offset))]),
    element("Status", capitalised(recipient.status)),
    element("RecipientIPAddress", "192.0.2.2"),
    element("RecipientId", recipient.recipientIdGuid),
  ]);
}

const RECIPIENT_TYPES: Record<string, string> = {
  agents: "Agent",
  editors: "Editor",
  intermediaries: "Intermediary",
  carbonCopies: "CarbonCopy",
  certifiedDeliveries: "CertifiedDelivery",
  inPersonSigners: "InPersonSigner",
};

function customFields(senderAccount: string | undefined): Element[] {
  if (senderAccount === undefined) return [];
  const field = [
    element("Name", "AccountId"),
    element("Show", "false"),
    element("Required", "false"),
    element("Value", senderAccount),
    element("CustomFieldType", "Text"),
  ];
  return [list("CustomFields", [element("CustomField", field)])];
}

function documentStatus(document: EnvelopeDocument, index: number): Element {
  return element("DocumentStatus", [
    element("ID", document.documentId),
    element("Name", document.name),
    element("TemplateName", ""),
    element("Sequence", String(index + 1)),
  ]);
}

function documentPdf(document: EnvelopeDocument): Element {
  const bytes = Buffer.concat([...document.content.chunks()]).toString("base64");
  const type = document.type === "summary" ? "SUMMARY" : "CONTENT";
  const id = type === "SUMMARY" ? [] : [element("DocumentID", document.documentId)];
  return element("DocumentPDF", [
    element("Name", document.name),
    element("PDFBytes", bytes),
    ...id,
    element("DocumentType", type),
  ]);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
