import type { EnvelopeDocument } from "./envelope.ts";
import { inJapan } from "./japan-time.ts";

const PDF_ENDING = /\.pdf$/i;

/** The date on which a contract was concluded: the calendar date of its completion in Japan (import-rules 4). */
export function concludedOn(completedAt: Date): string {
  return inJapan(completedAt).date;
}

/** The documents that become contracts, in DocuSign's order: all but the certificate of completion (import-rules 4). */
export function contentDocuments(documents: readonly EnvelopeDocument[]): EnvelopeDocument[] {
  return documents.filter((document) => !isCertificate(document));
}

function isCertificate({ type, documentId }: EnvelopeDocument): boolean {
  return type.toLowerCase() === "summary" || documentId.toLowerCase() === "certificate";
}

/** The name a download gets: DocuSign delivers PDF whatever was uploaded (import-rules 4). */
export function downloadName(name: string): string {
  return PDF_ENDING.test(name) ? name : `${name}.pdf`;
}
