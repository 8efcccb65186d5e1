import { documentsAnswer, envelopeAnswer } from "./envelope-answers.ts";
import { type Answer, DocuSignError, type Route } from "./exchange.ts";
import {
  LISTING_PARAMETERS,
  type Listing,
  listEnvelopes,
  type Page,
  parseInclude,
  parseListing,
  words,
} from "./listing.ts";
import { pdfContent } from "./pdf.ts";
import { recipientsAnswer } from "./recipient-answers.ts";
import { type RestCall, type RestParts, restRoute } from "./rest-route.ts";
import type { Envelope, EnvelopeDocument } from "./state.ts";
import { sightOf, visibleEnvelopes } from "./visibility.ts";

/** Reading envelopes: the listing, one envelope, its recipients, its documents. */
export function createEnvelopeRoutes(parts: RestParts): Route[] {
  return [
    restRoute(parts, "GET", "/envelopes", {
      understands: LISTING_PARAMETERS,
      handle: (call) => listing(parts, call),
    }),
    restRoute(parts, "GET", "/envelopes/{envelopeId}", {
      understands: ["include"],
      handle: (call) => {
        const include = honoured(parts, parseInclude(words(call.query.get("include") ?? "")));
        return ok(envelopeAnswer(parts.state, visibleEnvelope(parts, call), include));
      },
    }),
    restRoute(parts, "GET", "/envelopes/{envelopeId}/recipients", {
      handle: (call) => ok(recipientsAnswer(visibleEnvelope(parts, call))),
    }),
    restRoute(parts, "GET", "/envelopes/{envelopeId}/documents", {
      handle: (call) => {
        const envelope = visibleEnvelope(parts, call);
        return ok({ envelopeId: envelope.envelopeId, envelopeDocuments: documentsAnswer(envelope) });
      },
    }),
    restRoute(parts, "GET", "/envelopes/{envelopeId}/documents/{documentId}", {
      understands: ["certificate"],
      handle: (call) => download(visibleEnvelope(parts, call), call.params["documentId"] ?? ""),
    }),
  ];
}

function ok(json: unknown): Answer {
  return { status: 200, json };
}

function honoured(parts: RestParts, include: Listing["include"]): Listing["include"] {
  return parts.includesIgnored() ? { recipients: false, documents: false } : include;
}

function visibleEnvelope({ state }: RestParts, { user, account, params }: RestCall): Envelope {
  const envelope = state.envelopes.get((params["envelopeId"] ?? "").toLowerCase());
  const sight = envelope === undefined ? "unknown" : sightOf(envelope, user, account.accountId);
  if (sight === "not-yours") throw new DocuSignError(401, "USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT");
  if (envelope === undefined || sight === "unknown") {
    throw new DocuSignError(
      404,
      "ENVELOPE_DOES_NOT_EXIST",
      "The envelope specified does not exist or you have no rights to it.",
    );
  }
  return envelope;
}

function listing(parts: RestParts, { user, account, query }: RestCall): Answer {
  const now = parts.state.now();
  const habits = parts.listingHabits();
  const { fromExcluded = false, receivedApart = false, rowsAtMost = Number.POSITIVE_INFINITY } = habits;
  if (habits.tooMuch?.(query)) throw new DocuSignError(504, "GATEWAY_TIMEOUT");
  const asked = parseListing(query, now);
  const wanted = { ...asked, count: Math.min(asked.count, rowsAtMost), fromExcluded, receivedApart };
  const visible = visibleEnvelopes(parts.state, user, account.accountId, wanted);
  const page = listEnvelopes(visible, wanted, now);
  const include = honoured(parts, wanted.include);
  const envelopes = page.rows.flatMap((envelope) => {
    const recipients = include.recipients && !envelope.inListing.withoutRecipients;
    const row = envelopeAnswer(parts.state, envelope, { ...include, recipients });
    return envelope.inListing.rowsInstead?.(row) ?? [row];
  });
  const { totalSetSize, ...rest } = pageAnswer(page, wanted, account.accountId, query);
  return ok({
    ...rest,
    ...(habits.withoutTotals ? {} : { totalSetSize }),
    ...(envelopes.length === 0 ? {} : { envelopes }),
  });
}

/** An empty page has no positions and no list of envelopes at all. */
function pageAnswer(
  page: Page,
  wanted: Listing,
  accountId: string,
  query: URLSearchParams,
): Record<string, string> {
  const { rows, placed, total } = page;
  const end = wanted.start + placed;
  const sizes = { resultSetSize: String(rows.length), totalSetSize: String(total) };
  if (rows.length === 0) return sizes;
  const uri = (start: number): string => {
    const other = new URLSearchParams(query);
    other.set("start_position", String(start));
    return `/accounts/${accountId}/envelopes?${other.toString()}`;
  };
  return {
    ...sizes,
    startPosition: String(wanted.start),
    endPosition: String(end - 1),
    nextUri: end < total ? uri(end) : "",
    previousUri: wanted.start > 0 ? uri(Math.max(0, wanted.start - wanted.count)) : "",
  };
}

const PLACEHOLDER = pdfContent("This document has been purged.");

function download(envelope: Envelope, documentId: string): Answer {
  const { refusalOfDocuments, documents, purgedDocuments } = envelope;
  if (refusalOfDocuments !== null)
    throw new DocuSignError(refusalOfDocuments.status, refusalOfDocuments.errorCode);
  const isWanted = (candidate: EnvelopeDocument): boolean => candidate.documentId === documentId;
  const purged = purgedDocuments.find(isWanted);
  const document = documents.find(isWanted) ?? (purged && { ...purged, content: PLACEHOLDER });
  if (document === undefined) {
    throw new DocuSignError(404, "DOCUMENT_DOES_NOT_EXIST", "The document specified was not found.");
  }
  // Header values are Latin-1; how DocuSign writes other names there is not documented.
  const fileName = document.name.replaceAll(/[^\x20-\x7e]|"/g, "_");
  return {
    status: 200,
    headers: {
      "Content-Type": "application/pdf",
      "Content-Disposition": `file; filename="${fileName}"; documentid="${documentId}"`,
    },
    content: document.content,
  };
}
