import { z } from "zod";
import type { Envelope } from "../../domain/envelope.ts";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import { parseAnswer, readEnvelope, unlessUnreadable, unreadableAnswer } from "../wire/answers.ts";
import { anyField, countField, isObject, readText, textField } from "../wire/fields.ts";

export type CompletedQuery = {
  readonly from: Date;
  readonly to: Date;
  readonly startPosition: number;
  /** At most 1,000. */
  readonly count: number;
  /** Only envelopes that the token's user received, from any account; otherwise the whole account. */
  readonly receivedOnly: boolean;
  /** Includes recipients and documents; true by default. */
  readonly include?: boolean;
};

export type CompletedPage = {
  readonly envelopes: readonly Envelope[];
  /** Rows that cannot be parsed as envelopes. */
  readonly unreadable: number;
  /** The total that DocuSign reports over all pages. */
  readonly totalSetSize: number | null;
  readonly endPosition: number | null;
  /** Start of the next page; null on the last one. */
  readonly next: number | null;
  /** When DocuSign returned the page. */
  readonly readAt: Date;
};

/** The parameters of `GET /envelopes` for envelopes completed in a period, in docusign-esign's names. */
export function listOptions(query: CompletedQuery): Readonly<Record<string, string>> {
  return {
    fromDate: query.from.toISOString(),
    toDate: query.to.toISOString(),
    fromToStatus: "completed",
    status: "completed",
    orderBy: "completed",
    order: "asc",
    count: String(query.count),
    startPosition: String(query.startPosition),
    ...(query.include === false ? {} : { include: "recipients,documents" }),
    ...(query.receivedOnly ? { userFilter: "recipient" } : {}),
  };
}

/** Completed envelopes by their ids. */
export type ChosenQuery = {
  /** At most 48, so that the address of the call stays below 2,048 characters, a common limit of servers. */
  readonly ids: readonly EnvelopeId[];
  /** The period in which they were completed. DocuSign's pages disagree on leaving it out. */
  readonly from: Date;
  readonly to: Date;
  readonly receivedOnly: boolean;
};

/** The parameters of `GET /envelopes` for these envelopes with recipients and documents, in docusign-esign's names. */
export function chosenOptions({
  ids,
  from,
  to,
  receivedOnly,
}: ChosenQuery): Readonly<Record<string, string>> {
  return {
    envelopeIds: ids.join(","),
    fromDate: from.toISOString(),
    toDate: to.toISOString(),
    fromToStatus: "completed",
    status: "completed",
    count: String(ids.length),
    include: "recipients,documents",
    ...(receivedOnly ? { userFilter: "recipient" } : {}),
  };
}

/** Parses the answer. Rows that were not asked for are left out, and so are those that cannot be parsed. */
export function readChosen(raw: unknown, { ids }: ChosenQuery): Envelope[] {
  const { envelopes: rows } = parseAnswer(pageAnswer, raw);
  const found = (rows ?? []).map(readRow).filter((envelope) => envelope !== null);
  return found.filter(({ id }) => ids.includes(id));
}

const pageAnswer = z.object({
  envelopes: z.array(anyField).nullish(),
  nextUri: textField,
  endPosition: countField,
  totalSetSize: countField,
  resultSetSize: countField,
});

/** Parses one page. It may contain rows outside the query, which the caller has to leave out. */
export function readPage(raw: unknown, query: CompletedQuery): Omit<CompletedPage, "readAt"> {
  const { envelopes: rows, nextUri, endPosition, totalSetSize, resultSetSize } = parseAnswer(pageAnswer, raw);
  const counted = resultSetSize ?? rowsFrom(query.startPosition, totalSetSize);
  // An answer without rows accounts for nothing unless it reports itself that there are none.
  if (rows == null && counted !== 0) throw unreadableAnswer();
  const envelopes = (rows ?? []).map(readRow).filter((envelope) => envelope !== null);
  const listed = rows?.length ?? 0;
  const next = nextPosition(query, { listed, nextUri, endPosition, totalSetSize });
  return { envelopes, unreadable: listed - envelopes.length, totalSetSize, endPosition, next };
}

function rowsFrom(startPosition: number, total: number | null): number | null {
  return total === null ? null : Math.max(0, total - startPosition);
}

/** Null if the id cannot be parsed. The query asks for completed envelopes, so a row without a status is completed. */
function readRow(raw: unknown): Envelope | null {
  const isSilent = isObject(raw) && readText(raw["status"]) === null;
  return unlessUnreadable(() => readEnvelope(isSilent ? { ...raw, status: "completed" } : raw));
}

type PageEnd = Pick<CompletedPage, "endPosition" | "totalSetSize"> & {
  readonly listed: number;
  readonly nextUri: string | null;
};

/**
 * Any sign of more rows counts: `nextUri`, a total beyond this page, a full page. After a page without rows only a total
 * beyond it counts, since a `nextUri` that is always present would never end. If the signs disagree on the position, the
 * earliest wins: listing a row twice is harmless, skipping one loses it.
 */
function nextPosition({ startPosition, count }: CompletedQuery, page: PageEnd): number | null {
  const onward = positionsAfter(startPosition, page).filter((position) => position > startPosition);
  if (onward.length === 0) return null;
  const next = Math.min(...onward);
  if (page.listed === 0) return page.nextUri !== null && (page.totalSetSize ?? 0) > next ? next : null;
  const isFull = page.listed >= count;
  const isMoreCounted = (page.totalSetSize ?? 0) > next;
  return page.nextUri !== null || isFull || isMoreCounted ? next : null;
}

function positionsAfter(startPosition: number, page: PageEnd): readonly number[] {
  const afterUri = startPositionOf(page.nextUri);
  const afterEnd = page.endPosition === null ? null : page.endPosition + 1;
  const isAgreed = afterUri !== null && afterUri === afterEnd;
  const all = isAgreed ? [afterUri] : [afterUri, afterEnd, startPosition + page.listed];
  return all.filter((position) => position !== null);
}

function startPositionOf(uri: string | null): number | null {
  return countField.parse(/[?&]start_position=(\d+)/i.exec(uri ?? "")?.[1]);
}
