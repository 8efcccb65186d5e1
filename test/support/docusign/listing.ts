import { DocuSignError } from "./exchange.ts";
import type { Envelope } from "./state.ts";

export type Listing = {
  readonly from: Date | null;
  /** True if the first moment itself is left out. */
  readonly fromExcluded: boolean;
  readonly to: Date;
  /** Which moment the dates are compared with, in lower case. */
  readonly qualifier: string;
  /** Null for any. */
  readonly statuses: ReadonlySet<string> | null;
  readonly envelopeIds: ReadonlySet<string> | null;
  readonly orderBy: string;
  readonly descending: boolean;
  readonly count: number;
  readonly start: number;
  readonly include: { readonly recipients: boolean; readonly documents: boolean };
  readonly userFilter: string | null;
};

/** The query parameters that this simulator understands. */
export const LISTING_PARAMETERS = [
  "from_date",
  "to_date",
  "from_to_status",
  "status",
  "envelope_ids",
  "order_by",
  "order",
  "count",
  "start_position",
  "include",
  "user_filter",
];

const MAX_COUNT = 1000;

/** Reads the query of a listing; throws DocuSign's refusal if it makes no sense. */
export function parseListing(query: URLSearchParams, now: Date): Omit<Listing, "fromExcluded"> {
  const from = query.get("from_date");
  const ids = query.get("envelope_ids");
  if (from === null && ids === null)
    throw invalid("Query parameter 'from_date' must be set to a valid DateTime");
  const count = numberOf(query, "count", MAX_COUNT);
  if (count < 1 || count > MAX_COUNT) throw invalid("Query parameter 'count' must be from 1 to 1000");
  const status = query.get("status")?.toLowerCase() ?? "any";
  const include = words(query.get("include") ?? "");
  return {
    from: from === null ? null : parseDate(from),
    to: query.has("to_date") ? parseDate(query.get("to_date") ?? "") : now,
    qualifier: oneOf(query, "from_to_status", "changed", QUALIFIERS),
    statuses: status === "any" ? null : new Set(words(status)),
    envelopeIds: ids === null ? null : new Set(words(ids.toLowerCase())),
    orderBy: oneOf(query, "order_by", "created", Object.keys(ORDERS)),
    descending: oneOf(query, "order", "asc", ["asc", "desc"]) === "desc",
    count,
    start: numberOf(query, "start_position", 0),
    include: parseInclude(include),
    userFilter: query.has("user_filter")
      ? oneOf(query, "user_filter", "", ["sender", "recipient", "recipient_only"])
      : null,
  };
}

/** Parses `include`; throws on values that this simulator does not support. */
export function parseInclude(include: readonly string[]): Listing["include"] {
  const strange = include.find((word) => word !== "recipients" && word !== "documents");
  if (strange !== undefined) throw new DocuSignError(501, "UNKNOWN_TO_SIMULATOR", `include ${strange}`);
  return { recipients: include.includes("recipients"), documents: include.includes("documents") };
}

/** The words of a comma-separated list. */
export function words(list: string): string[] {
  return list.split(",").flatMap((word) => (word.trim() === "" ? [] : [word.trim()]));
}

export type Page = {
  readonly rows: readonly Envelope[];
  /** How many of the rows have a place in the order; the others only stray into the page. */
  readonly placed: number;
  readonly total: number;
};

/** Filters, orders and cuts out the page, as the index knows the envelopes at this moment. */
export function listEnvelopes(envelopes: readonly Envelope[], listing: Listing, now: Date): Page {
  const indexed = envelopes.filter(
    ({ inListing: { hiddenUntil } }) => hiddenUntil === null || hiddenUntil <= now,
  );
  const matching = indexed.filter((envelope) => envelope.inListing.extraneous || matches(envelope, listing));
  const key = ORDERS[listing.orderBy] ?? (() => "");
  const direction = listing.descending ? -1 : 1;
  const keyed = matching.map((envelope) => ({ envelope, key: key(envelope) }));
  keyed.sort((one, other) => direction * compare(one.key, other.key));
  const rows = keyed.slice(listing.start, listing.start + listing.count).map(({ envelope }) => envelope);
  const straying = indexed.filter((envelope) => envelope.inListing.atPageEnds && !rows.includes(envelope));
  return { rows: [...rows, ...straying], placed: rows.length, total: keyed.length };
}

function compare(one: string | number, other: string | number): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function matches(envelope: Envelope, listing: Listing): boolean {
  if (listing.statuses !== null && !listing.statuses.has(envelope.status)) return false;
  if (listing.envelopeIds !== null && !listing.envelopeIds.has(envelope.envelopeId)) return false;
  const moment = comparedMoment(envelope, listing.qualifier);
  if (moment === null) return false;
  if (listing.fromExcluded && moment.getTime() === listing.from?.getTime()) return false;
  return (listing.from === null || moment >= listing.from) && moment <= listing.to;
}

/** Most qualifiers fall back to the last change of status; these few have a moment of their own. */
function comparedMoment(envelope: Envelope, qualifier: string): Date | null {
  if (qualifier === "completed") return envelope.completedAt;
  if (qualifier === "created") return envelope.createdAt;
  if (qualifier === "sent") return envelope.sentAt;
  if (qualifier === "voided") return envelope.voidedAt;
  return envelope.statusChangedAt;
}

const QUALIFIERS =
  "changed voided created deleted sent delivered signed completed declined timedout processing".split(" ");

const ORDERS: Record<string, (envelope: Envelope) => string | number> = {
  completed: ({ completedAt, inListing }) => (inListing.placedAt ?? completedAt)?.getTime() ?? 0,
  created: (envelope) => envelope.createdAt.getTime(),
  sent: (envelope) => envelope.sentAt.getTime(),
  last_modified: (envelope) => envelope.statusChangedAt.getTime(),
  status_changed: (envelope) => envelope.statusChangedAt.getTime(),
  status: (envelope) => envelope.status,
  subject: (envelope) => envelope.subject,
};

/** A date without an offset would be read in the server's time zone: never what this service means. */
function parseDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw invalid(`not a valid DateTime: ${text}`);
  if (!/(Z|[+-]\d\d:?\d\d)$/.test(text))
    throw new DocuSignError(501, "UNKNOWN_TO_SIMULATOR", `no offset: ${text}`);
  return date;
}

function numberOf(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw invalid(`Query parameter '${name}' must be a number`);
  return Number(text);
}

function oneOf(query: URLSearchParams, name: string, fallback: string, known: readonly string[]): string {
  const word = query.get(name)?.toLowerCase() ?? fallback;
  if (word !== fallback && !known.includes(word)) {
    throw new DocuSignError(501, "UNKNOWN_TO_SIMULATOR", `${name} ${word}`);
  }
  return word;
}

function invalid(message: string): DocuSignError {
  return new DocuSignError(
    400,
    "INVALID_REQUEST_PARAMETER",
    `The request contained at least one invalid parameter. ${message}`,
  );
}
