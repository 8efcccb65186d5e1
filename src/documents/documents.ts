import type { Readable } from "node:stream";

export type StoredDocument = {
  readonly bytes: number;
  /** Hexadecimal, lower case. */
  readonly sha256: string;
};

/** Both ends count: `{ first: 0, last: 0 }` is the first byte. */
export type ByteRange = { readonly first: number; readonly last: number };

export type ListedDocument = { readonly key: string; readonly modifiedAt: Date };

/** Where the bytes of contracts lie, under keys that `isDocumentKey` accepts. */
export type DocumentStore = {
  /** Stores the whole stream under the key, or nothing; what was there before stays readable until then. */
  put(key: string, source: AsyncIterable<Uint8Array>): Promise<StoredDocument>;
  /**
   * The bytes first to last, as far as the document reaches; the whole document without a range; null where
   * there is none. The stream holds a file or connection: read it to its end, or destroy it.
   */
  open(key: string, range?: ByteRange): Promise<Readable | null>;
  /** Erasing what isn't there changes nothing. */
  erase(key: string): Promise<void>;
  /** Every stored document, in no particular order; those that come or go meanwhile may be missing. */
  list(): AsyncIterable<ListedDocument>;
  /** Stores, reads and erases a few bytes; throws an error that says which store cannot do it. */
  check(): Promise<void>;
  close(): void | Promise<void>;
};

const LONGEST_KEY = 200;
const KEY = /^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/;

/** Whether a text can name a document: words of `a-z 0-9 -` with single slashes between, 200 characters at most. */
export function isDocumentKey(text: string): boolean {
  return text.length <= LONGEST_KEY && KEY.test(text);
}

/** The key as it is; throws a RangeError where it cannot name a document. */
export function requireKey(key: string): string {
  if (!isDocumentKey(key)) throw new RangeError(`no key of a document: ${JSON.stringify(key)}`);
  return key;
}

/** The range as it is; throws a RangeError where it is none. */
export function requireRange(range: ByteRange): ByteRange {
  const { first, last } = range;
  if (Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 0 && first <= last) return range;
  throw new RangeError(`no range of bytes: ${first} to ${last}`);
}
