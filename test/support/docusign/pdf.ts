import { createHash } from "node:crypto";

/** Bytes that need not lie in memory: a known length, made piece by piece each time they are asked for. */
export type Content = { readonly size: number; chunks(): Iterable<Buffer> };

/** Bytes that exist already. */
export function contentOf(bytes: Buffer): Content {
  return { size: bytes.length, chunks: () => [bytes] };
}

/** A valid PDF of one page that shows the text: the same bytes for the same text, others for another. */
export function pdf(text: string, sizeInBytes?: number): Buffer {
  return Buffer.concat([...pdfContent(text, sizeInBytes).chunks()]);
}

/**
 * The same PDF without holding it: padded to exactly `sizeInBytes` by a stream that no page shows.
 * Throws if the size is too small for a PDF (about 1 KB).
 */
export function pdfContent(text: string, sizeInBytes?: number): Content {
  const unpadded = parts(text, 0);
  const smallest = unpadded.head.length + unpadded.tail.length;
  const size = sizeInBytes ?? smallest;
  if (size < smallest) throw new Error(`a PDF of this text needs ${smallest} bytes, not ${size}`);
  return { size, chunks: () => pieces(text, size - smallest) };
}

function* pieces(text: string, padding: number): Generator<Buffer> {
  const { head, tail } = parts(text, padding);
  yield head;
  for (let left = padding; left > 0; left -= FILLER.length) yield FILLER.subarray(0, left);
  yield tail;
}

/** Looks random, so that nothing on the way can shrink it; one block serves every document. */
const FILLER = createHash("shake256", { outputLength: 65_536 }).update("padding").digest();

/** Numbers are written ten digits wide, so that the padding's length does not move the rest. */
function parts(text: string, padding: number): { head: Buffer; tail: Buffer } {
  const offsets: number[] = [];
  let head = "%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n";
  for (const [index, body] of [...pageObjects(text), `<</Length ${wide(padding)}>>\nstream\n`].entries()) {
    offsets.push(head.length);
    head += `${index + 1} 0 obj\n${body}`;
    if (index < PADDING_INDEX) head += "\nendobj\n";
  }
  const endOfPadding = "\nendstream\nendobj\n";
  const table = offsets.map((offset) => `${wide(offset)} 00000 n \n`).join("");
  const count = offsets.length + 1;
  const tail =
    `${endOfPadding}xref\n0 ${count}\n0000000000 65535 f \n${table}` +
    `trailer\n<</Size ${count}/Root 1 0 R>>\nstartxref\n${wide(head.length + padding + endOfPadding.length)}\n%%EOF\n`;
  return { head: Buffer.from(head, "latin1"), tail: Buffer.from(tail, "latin1") };
}

const PADDING_INDEX = 7;

/** The text is set in a font that every reader replaces by its own Japanese one; nothing is embedded. */
function pageObjects(text: string): string[] {
  const shown = Buffer.from(text, "utf16le").swap16().toString("hex");
  const drawing = `BT /F 14 Tf 50 760 Td <${shown}> Tj ET`;
  return [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
    `<</Length ${drawing.length}>>\nstream\n${drawing}\nendstream`,
    "<</Type/Font/Subtype/Type0/BaseFont/HeiseiKakuGo-W5/Encoding/UniJIS-UTF16-H/DescendantFonts[6 0 R]>>",
    "<</Type/Font/Subtype/CIDFontType0/BaseFont/HeiseiKakuGo-W5/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/FontDescriptor 7 0 R>>",
    "<</Type/FontDescriptor/FontName/HeiseiKakuGo-W5/Flags 4/FontBBox[-92 -250 1010 922]/ItalicAngle 0/Ascent 752/Descent -221/CapHeight 737/StemV 114>>",
  ];
}

function wide(number: number): string {
  return String(number).padStart(10, "0");
}
