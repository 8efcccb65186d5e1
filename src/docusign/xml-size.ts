/** Longer texts in a Connect message are the base64 of documents and attachments. */
const LONG_TEXT = 4_096;

/**
 * The document with its long texts emptied: parsing 32 MiB of base64 takes seconds and gigabytes, and skipping it
 * milliseconds. CDATA sections stay whole.
 */
export function withoutLongTexts(xml: string): string {
  if (xml.length <= LONG_TEXT) return xml;
  const parts: string[] = [];
  for (let at = 0; at < xml.length; ) {
    const open = indexOrEnd(xml, "<", at);
    const close = indexOrEnd(xml, ">", open) + 1;
    const text = xml.slice(at, open);
    const isEmptied = text.length > LONG_TEXT && !text.includes("]]>");
    parts.push(isEmptied ? xml.slice(open, close) : xml.slice(at, close));
    at = close;
  }
  return parts.join("");
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}
