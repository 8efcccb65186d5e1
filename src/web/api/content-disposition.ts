import { encodeExtended } from "content-disposition";

const PDF_ENDING = /\.pdf$/i;

/** The longest name that file systems accept, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;

/**
 * Builds the Content-Disposition (RFC 6266) that saves a file under its name. The name is made safe for headers and
 * file systems, and cut between characters to 255 bytes, `.pdf` included. Old clients get an ASCII form.
 */
export function contentDisposition(fileName: string): string {
  const name = shorten(makeSafe(fileName));
  return `attachment; filename="${toAscii(name)}"; filename*=${encodeExtended(name)}`;
}

/** Replaces path separators; removes control characters, line separators and bidirectional marks. */
function makeSafe(name: string): string {
  return name
    .toWellFormed()
    .replace(/[/\\]/g, "_")
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "");
}

function shorten(name: string): string {
  const ending = PDF_ENDING.exec(name)?.[0] ?? "";
  const base = name.slice(0, name.length - ending.length);
  let left = MAX_NAME_BYTES - ending.length;
  let kept = "";
  for (const { segment } of new Intl.Segmenter("ja").segment(base)) {
    left -= Buffer.byteLength(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept.trim() === "" ? "document" : kept}${ending}`;
}

/** Also replaces the percent sign, which some clients decode here (RFC 6266, appendix D). */
function toAscii(name: string): string {
  return name.replace(/[^ -~]|["%\\]/gu, "_");
}
