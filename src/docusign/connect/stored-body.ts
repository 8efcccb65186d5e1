import { isDeepStrictEqual } from "node:util";
import { parseConnectMessage } from "./connect-message.ts";
import type { ConnectMessage } from "./message-identity.ts";

/** Enough for a message about the envelope with the most recipients, without documents. */
const MOST_STORED = 256 * 1024;

/**
 * Returns the body of this message as it may be stored: without the base64 of documents and attachments, and still the
 * same message. Returns null if that would exceed 256 KiB.
 */
export function withoutDocuments(body: Uint8Array, message: ConnectMessage): Uint8Array | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const isXml = message.format === "xml";
  if (bytes.length <= MOST_STORED && !mayHoldContents(bytes, isXml)) return body;
  const kept = isXml ? keepXml(bytes) : keepJson(bytes);
  if (kept === null) return null;
  const stored = Buffer.concat(kept);
  return isDeepStrictEqual(parseConnectMessage(stored), message) ? stored : null;
}

const [QUOTE, LESS, GREATER, BACKSLASH, COLON, APOSTROPHE] = Buffer.from(`"<>\\:'`);

/** Longer base64 is contents, whatever its field is called. */
const LONG_TEXT = 1_024;

const NAMED_IN_JSON = /(?:PDFBytes|Base64|"data)"\s*:\s*"[^"]/i;
const NAMED_IN_XML = /<(?:[\w.-]+:)?(?:PDFBytes|\w*Base64|Data)[\s>]/i;

/** Costs a few microseconds for a usual message, which holds no contents. */
function mayHoldContents(bytes: Buffer, isXml: boolean): boolean {
  if (hasLongText(bytes, isXml ? LESS : QUOTE)) return true;
  return (isXml ? NAMED_IN_XML : NAMED_IN_JSON).test(bytes.toString("latin1"));
}

/** Leaps from delimiter to delimiter instead of visiting each. */
function hasLongText(bytes: Buffer, delimiter = 0): boolean {
  for (let at = 0; at + LONG_TEXT < bytes.length; ) {
    const last = bytes.lastIndexOf(delimiter, at + LONG_TEXT);
    if (last <= at) return true;
    at = last;
  }
  return false;
}

/** Collects what is kept. The bytes are valid: they have been parsed. */
type Keeper = {
  /** Leaves out the bytes from `start` to `end`, which follow those of the last call. */
  leaveOut(start: number, end: number): void;
  /** True if more is kept up to this position than may be stored. */
  isTooMuch(at: number): boolean;
  end(): Buffer[] | null;
};

function createKeeper(bytes: Buffer): Keeper {
  const kept: Buffer[] = [];
  let from = 0;
  let leftOut = 0;
  const isTooMuch = (at: number): boolean => at - leftOut > MOST_STORED;
  return {
    leaveOut(start, end) {
      kept.push(bytes.subarray(from, start));
      leftOut += end - start;
      from = end;
    },
    isTooMuch,
    end: () => (isTooMuch(bytes.length) ? null : [...kept, bytes.subarray(from)]),
  };
}

function keepJson(bytes: Buffer): Buffer[] | null {
  const keeper = createKeeper(bytes);
  let name = "";
  let open = indexOrEnd(bytes, QUOTE, 0);
  while (open < bytes.length && !keeper.isTooMuch(open)) {
    const close = endOfString(bytes, open + 1);
    if (isName(bytes, close + 1)) name = readName(bytes, open + 1, close);
    else if (isContents(name, bytes.subarray(open + 1, close))) keeper.leaveOut(open + 1, close);
    open = indexOrEnd(bytes, QUOTE, close + 1);
  }
  return keeper.isTooMuch(open) ? null : keeper.end();
}

/** Returns the position of the quotation mark that ends the string. */
function endOfString(bytes: Buffer, start: number): number {
  let close = indexOrEnd(bytes, QUOTE, start);
  while (isEscaped(bytes, close)) close = indexOrEnd(bytes, QUOTE, close + 1);
  return close;
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let before = at;
  while (bytes[before - 1] === BACKSLASH) before -= 1;
  return (at - before) % 2 === 1;
}

function isName(bytes: Buffer, after: number): boolean {
  let at = after;
  while (bytes[at] !== undefined && (bytes[at] ?? 0) <= 0x20) at += 1;
  return bytes[at] === COLON;
}

function keepXml(bytes: Buffer): Buffer[] | null {
  const keeper = createKeeper(bytes);
  let name = "";
  let at = 0;
  while (at < bytes.length && !keeper.isTooMuch(at)) {
    const open = indexOrEnd(bytes, LESS, at);
    if (isContents(name, bytes.subarray(at, open))) keeper.leaveOut(at, open);
    const markup = readMarkup(bytes, open);
    if (markup.name !== null) name = markup.name;
    if (isContents(name, bytes.subarray(markup.start, markup.end))) keeper.leaveOut(markup.start, markup.end);
    at = markup.next;
  }
  return keeper.isTooMuch(at) ? null : keeper.end();
}

/**
 * Markup, and the text of a CDATA section within it. The name is that of the element that the markup opens, empty if it
 * closes one, and null otherwise.
 */
type Markup = { name: string | null; start: number; end: number; next: number };

const ENCLOSED = [
  { begin: "<![CDATA[", end: "]]>", isText: true },
  { begin: "<!--", end: "-->", isText: false },
  { begin: "<?", end: "?>", isText: false },
];

function readMarkup(bytes: Buffer, open: number): Markup {
  const beginning = bytes.toString("latin1", open, open + "<![CDATA[".length);
  const enclosed = ENCLOSED.find(({ begin }) => beginning.startsWith(begin));
  if (enclosed !== undefined) {
    const start = open + enclosed.begin.length;
    const end = indexOrEnd(bytes, enclosed.end, start);
    return { name: null, start: enclosed.isText ? start : end, end, next: end + enclosed.end.length };
  }
  const next = endOfTag(bytes, open) + 1;
  const [, name = ""] =
    /^<(?:[\w.-]+:)?([\w.-]+)/.exec(bytes.toString("latin1", open, open + LONGEST_NAME)) ?? [];
  return { name, start: next, end: next, next };
}

/** Skips the values of attributes. */
function endOfTag(bytes: Buffer, open: number): number {
  let at = open;
  while (at < bytes.length && bytes[at] !== GREATER) {
    const byte = bytes[at];
    at = byte === QUOTE || byte === APOSTROPHE ? indexOrEnd(bytes, byte, at + 1) + 1 : at + 1;
  }
  return at;
}

const LONGEST_NAME = 100;

function readName(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, Math.min(end, start + LONGEST_NAME));
}

/** Fields of Connect's formats that hold base64 of documents, attachments and images. */
const CONTENTS = /^(PDFBytes|\w*Base64|data)$/i;

function isContents(name: string, text: Buffer): boolean {
  if (text.length === 0) return false;
  return CONTENTS.test(name) || (text.length > LONG_TEXT && isBase64(text));
}

const DATA_URL = /^data:[\w/+.;=-]{0,100};base64,/;

/** In either alphabet, with or without line breaks, which JSON writes as escapes. */
const BASE64 = new Uint8Array(256);
for (const byte of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\\\r\n\t"))
  BASE64[byte] = 1;

function isBase64(text: Buffer): boolean {
  const prefix = DATA_URL.exec(text.toString("latin1", 0, LONGEST_NAME * 2))?.[0].length ?? 0;
  for (let at = prefix; at < text.length; at += 1) if (BASE64[text[at] ?? 0] === 0) return false;
  return true;
}

function indexOrEnd(bytes: Buffer, part: string | number | undefined, from: number): number {
  const index = part === undefined ? -1 : bytes.indexOf(part, from);
  return index === -1 ? bytes.length : index;
}
