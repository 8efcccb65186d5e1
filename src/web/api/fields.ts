import { z } from "zod";
import {
  type ContractId,
  type EnvelopeId,
  isGroupId,
  type LinkId,
  parseUuid,
} from "../../domain/identifiers.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { dateParameter, limitParameter } from "./query.ts";

/** A moment as the API writes it: RFC 3339 in UTC, to the millisecond. */
export const moment = z.codec(z.iso.datetime({ precision: 3 }), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

/** A UUID as DocuSign and we write it. */
export const uuid = z.guid();

export const count = z.int().nonnegative();

/** An id in an address, in its one written form; whatever is no UUID names nothing. */
export function idParameter<Id extends ContractId | EnvelopeId | LinkId>(
  description: string,
  example: string,
): z.ZodType<Id> {
  return z
    .string()
    .transform((text, context): Id => {
      const id = parseUuid<Id>(text);
      if (id !== null) return id;
      context.addIssue({ code: "custom", message: "is no UUID" });
      return z.NEVER;
    })
    .meta({ format: "uuid", param: { description, example } });
}

export const groupId = z
  .string()
  .refine(isGroupId, "has to be 1 to 64 characters of A-Z a-z 0-9 . _ -")
  .meta({
    pattern: "^[A-Za-z0-9._-]{1,64}$",
    description: "Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ -",
  });

export const limit = limitParameter.meta({
  type: "integer",
  minimum: 1,
  maximum: 200,
  pattern: undefined,
  param: { description: "Most items to return. The default is 50.", example: 50 },
});

/** One end of a range of dates. */
export function dateBound(example: string): z.ZodType<string | undefined> {
  const description = "A calendar date in Japan (YYYY-MM-DD), inclusive.";
  return dateParameter.optional().meta({ param: { description, example } });
}

/** A whole number in an address, 0 to `most`; 0 where left out. */
export function numberParameter({
  most,
  ...param
}: {
  readonly most: number;
  readonly description: string;
  readonly example: number;
}): z.ZodType<number> {
  const words = `has to be a whole number from 0 to ${most}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, words)
    .transform(Number)
    .refine((value) => value <= most, words)
    .default(0)
    .meta({ type: "integer", minimum: 0, maximum: most, pattern: undefined, param });
}

/** `nextCursor` of the page before, read back as what `toPage` wrote into it; null for the first page. */
export function cursorParameter<Position>(position: z.ZodType<Position>): z.ZodType<Position | null> {
  return z
    .string()
    .transform((text, context): Position | null => {
      const parsed = position.safeParse(decodeCursor(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: "is no cursor of this list" });
      return z.NEVER;
    })
    .default(null)
    .meta({
      type: "string",
      default: undefined,
      param: { description: "`nextCursor` of the previous page. Leave it out for the first page." },
    });
}

/** Where a page ended that is ordered by a moment, then an id. */
export const momentPosition = z.tuple([moment, uuid]).transform(([at, id]) => ({ at, id }));

/** A page of a list, made of one row more than it may hold; that row tells that there is another page. */
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
