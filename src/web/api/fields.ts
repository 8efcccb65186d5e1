import { z } from "zod";
import {
  type AccountId,
  type ContractId,
  type EnvelopeId,
  isGroupId,
  type LinkId,
  parseUuid,
} from "../../domain/identifiers.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { dateParameter, limitParameter } from "./query.ts";

/** A moment in the API: RFC 3339 in UTC, with milliseconds. */
export const moment = z.codec(z.iso.datetime({ precision: 3 }), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

/** A UUID. `z.uuid` would reject ids without an RFC 9562 version. */
export const uuid = z.guid();

export const count = z.int().nonnegative();

/** An id in an address: the canonical form of a UUID, in small or capital letters. */
export function idParameter<Id extends AccountId | ContractId | EnvelopeId | LinkId>(
  description: string,
  example: string,
): z.ZodType<Id> {
  return z
    .string()
    .transform((text, context): Id => {
      const id = parseUuid<Id>(text);
      if (id !== null) return id;
      context.addIssue({ code: "custom", message: "must be a UUID" });
      return z.NEVER;
    })
    .meta({ format: "uuid", param: { description, example } });
}

export const groupId = z.string().refine(isGroupId, "must be 1 to 64 characters of A-Z a-z 0-9 . _ -").meta({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ -",
});

export const limit = limitParameter.meta({
  type: "integer",
  minimum: 1,
  maximum: 200,
  pattern: undefined,
  param: { description: "Maximum number of items to return. The default is 50.", example: 50 },
});

/** One end of a range of dates. */
export function dateBound(example: string): z.ZodType<string | undefined> {
  const description = "A calendar date in Japan (YYYY-MM-DD), inclusive.";
  return dateParameter.optional().meta({ param: { description, example } });
}

/**
 * One end of a range of moments, with a zone. Moments are kept to the millisecond, so a finer start is rounded up and a
 * finer end down.
 */
export function momentBound(round: "up" | "down", example: string): z.ZodType<Date | undefined> {
  const description = "A moment with a zone (RFC 3339), inclusive. Write the `+` of a zone as `%2B`.";
  return z.iso
    .datetime({
      offset: true,
      error: "must be a moment with a zone, such as 2026-04-01T09:00:00Z or 2026-04-01T18:00:00%2B09:00",
    })
    .transform((text) => {
      const isFiner = /\.\d{3}\d*[1-9]/.test(text);
      return new Date(new Date(text).getTime() + (isFiner && round === "up" ? 1 : 0));
    })
    .optional()
    .meta({ format: "date-time", pattern: undefined, param: { description, example } });
}

/** An id as a filter, in small or capital letters. */
export function idFilter<Id extends AccountId | EnvelopeId>(
  description: string,
  example: string,
): z.ZodType<Id | undefined> {
  return idParameter<Id>(description, example).optional().meta({ param: { description, example } });
}

/** An integer from 0 to `most` in an address. The default is 0. */
export function numberParameter({
  most,
  ...param
}: {
  readonly most: number;
  readonly description: string;
  readonly example: number;
}): z.ZodType<number> {
  const message = `must be an integer between 0 and ${most}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, message)
    .transform(Number)
    .refine((value) => value <= most, message)
    .default(0)
    .meta({ type: "integer", minimum: 0, maximum: most, pattern: undefined, param });
}

/** `nextCursor` of the previous page, decoded into the position that `toPage` encoded. Null for the first page. */
export function cursorParameter<Position>(position: z.ZodType<Position>): z.ZodType<Position | null> {
  return z
    .string()
    .transform((text, context): Position | null => {
      const parsed = position.safeParse(decodeCursor(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: "must be a `nextCursor` of this list" });
      return z.NEVER;
    })
    .default(null)
    .meta({
      type: "string",
      default: undefined,
      param: { description: "`nextCursor` of the previous page. Leave it out for the first page." },
    });
}

/** The position at the end of a page that is ordered by a moment, then an id. */
export const momentPosition = z.tuple([moment, uuid]).transform(([at, id]) => ({ at, id }));

/** Builds a page of at most `most` items. Pass one row more: the extra row shows that there is another page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  most: number,
  read: { item: (row: Row) => Item; position: (row: Row) => readonly string[] },
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, most);
  const last = shown.at(-1);
  const nextCursor = last === undefined || rows.length <= most ? null : encodeCursor(read.position(last));
  return { items: shown.map(read.item), nextCursor };
}
