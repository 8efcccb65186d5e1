import { z } from "zod";
import { type AccountId, parseUuid, type UserId } from "../../domain/identifiers.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** A field that is read further on, whatever it holds. */
export const anyField = z.unknown().optional();

/** A field that should hold text: trimmed of nothing, empty and anything but text or a number become null. */
export const textField = z.unknown().optional().transform(readText);

/** A field with a DocuSign user id; the zero id stands for nobody. */
export const userIdField = z.unknown().optional().transform(readUserId);

/** A field with a DocuSign account id in its long form; the short numeric form is none. */
export const accountIdField = z
  .unknown()
  .optional()
  .transform((value) => parseUuid<AccountId>(value));

/** A field that is true in whatever way DocuSign writes it: `true`, `"true"`, `"True"`. */
export const flagField = z.unknown().optional().transform(readFlag);

/** As `flagField`; null where DocuSign does not show it. */
export const shownFlagField = z
  .unknown()
  .optional()
  .transform((value) => (value === undefined || value === null || value === "" ? null : readFlag(value)));

/** A field with a whole number, written as number or text; null where it is none. */
export const countField = z.unknown().optional().transform(readCount);

/** A list of objects; null where the field is no list. What is no object in it is left out. */
export const rowsField = z.unknown().optional().transform(readRows);

/** Text as the rest of the service can keep it: PostgreSQL takes neither NUL nor half a surrogate pair. */
export function readText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" || value === "") return null;
  return value.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** Objects keyed by text, as JSON has them. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** See `rowsField`. */
export function readRows(value: unknown): readonly Readonly<Record<string, unknown>>[] | null {
  return Array.isArray(value) ? value.filter(isObject) : null;
}

/** See `flagField`. */
export function readFlag(value: unknown): boolean {
  return String(value).toLowerCase() === "true";
}

/** See `userIdField`. */
export function readUserId(value: unknown): UserId | null {
  const id = parseUuid<UserId>(value);
  return id === NOBODY ? null : id;
}

function readCount(value: unknown): number | null {
  const text = readText(value);
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
