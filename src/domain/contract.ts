import type { EnvelopeDocument } from "./envelope.ts";
import { inJapan } from "./japan-time.ts";

const PDF_ENDING = /\.pdf$/i;

/** The calendar date of the completion in Japan, `YYYY-MM-DD` (import-rules 4). */
export function concludedOn(completedAt: Date): string {
  return inJapan(completedAt).date;
}

/** The documents that become contracts, in DocuSign's order: all except the certificate of completion (import-rules 4). */
export function contentDocuments(documents: readonly EnvelopeDocument[]): EnvelopeDocument[] {
  return documents.filter((document) => !isCertificate(document));
}

function isCertificate({ type, documentId }: EnvelopeDocument): boolean {
  return type.toLowerCase() === "summary" || documentId.toLowerCase() === "certificate";
}

/** The name of a download ends in `.pdf`: DocuSign delivers PDF for every kind of upload (import-rules 4). */
export function downloadName(name: string): string {
  return PDF_ENDING.test(name) ? name : `${name}.pdf`;
}
