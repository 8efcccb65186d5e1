import { encodeExtended } from "content-disposition";

const PDF_ENDING = /\.pdf$/i;

/** What file systems take as a name at most, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;

/**
 * The Content-Disposition (RFC 6266) that saves a file under its name: made safe for headers and file
 * systems, cut between characters at 255 bytes with `.pdf` kept, and in ASCII for old clients.
 */
export function contentDisposition(fileName: string): string {
  const name = shorten(makeSafe(fileName));
  return `attachment; filename="${toAscii(name)}"; filename*=${encodeExtended(name)}`;
}

/** Path separators, control characters, line separators, and the marks that turn the reading direction. */
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

/** Without the percent sign too, which some clients decode here (RFC 6266, appendix D). */
function toAscii(name: string): string {
  return name.replace(/[^ -~]|["%\\]/gu, "_");
}
