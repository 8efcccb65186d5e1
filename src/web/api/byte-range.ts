import type { ByteRange } from "../../documents/documents.ts";

const SINGLE = /^bytes=(\d*)-(\d*)$/i;

/**
 * The part of a document of `size` bytes that a `Range` asks for (RFC 9110 14.1.2); null for the whole: where there
 * is no range, several, another unit, or what is no range; `beyond` where it begins after the end.
 */
export function readRange(header: string | undefined, size: number): ByteRange | "beyond" | null {
  const found = SINGLE.exec(header?.trim() ?? "");
  if (found === null) return null;
  const [from, to] = [readPosition(found[1]), readPosition(found[2])];
  if (from === null) return to === null ? null : lastBytes(to, size);
  if (to !== null && to < from) return null;
  return from >= size ? "beyond" : { first: from, last: Math.min(to ?? size, size - 1) };
}

function readPosition(digits: string | undefined): number | null {
  return digits === undefined || digits === "" ? null : Number(digits);
}

function lastBytes(length: number, size: number): ByteRange | "beyond" {
  return Math.min(length, size) === 0 ? "beyond" : { first: Math.max(0, size - length), last: size - 1 };
}
