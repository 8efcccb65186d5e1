import { z } from "zod";
import { type AccountId, parseUuid, type UserId } from "../../domain/identifiers.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** A field of any type that is parsed later. */
export const anyField = z.unknown().optional();

/** A text field, not trimmed. Empty text and anything except text or a number become null. */
export const textField = z.unknown().optional().transform(readText);

/** A DocuSign user id; the zero id becomes null. */
export const userIdField = z.unknown().optional().transform(readUserId);

/** A DocuSign account id in its long form; the short numeric form becomes null. */
export const accountIdField = z
  .unknown()
  .optional()
  .transform((value) => parseUuid<AccountId>(value));

/** A flag in any of DocuSign's spellings: `true`, `"true"`, `"True"`. */
export const flagField = z.unknown().optional().transform(readFlag);

/** Like `flagField`; null if DocuSign does not show it. */
export const shownFlagField = z
  .unknown()
  .optional()
  .transform((value) => (value === undefined || value === null || value === "" ? null : readFlag(value)));

/** An integer, written as number or text; null if it is not one. */
export const countField = z.unknown().optional().transform(readCount);

/** A list of objects; null if the field is not a list. Other entries are left out. */
export const rowsField = z.unknown().optional().transform(readRows);

/** Removes what PostgreSQL cannot store: NUL and unpaired surrogates. */
export function readText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" || value === "") return null;
  return value.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** A JSON object. */
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
