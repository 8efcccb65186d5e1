import type { Readable } from "node:stream";

export type StoredDocument = {
  readonly bytes: number;
  /** Hexadecimal, lower case. */
  readonly sha256: string;
};

/** Both ends are inclusive: `{ first: 0, last: 0 }` is the first byte. */
export type ByteRange = { readonly first: number; readonly last: number };

export type ListedDocument = { readonly key: string; readonly modifiedAt: Date };

/** Stores the bytes of contracts under keys that `isDocumentKey` accepts. */
export type DocumentStore = {
  /**
   * Stores the whole stream or nothing. The previous document under the key stays readable until then. Throws the
   * source's error unchanged, and a DocumentStoreFault if the store refuses the document.
   */
  put(key: string, source: AsyncIterable<Uint8Array>): Promise<StoredDocument>;
  /**
   * Opens the document, or the part of the range that exists. Returns null if there is no document under the key. The
   * stream holds a file or connection: read it to its end or destroy it.
   */
  open(key: string, range?: ByteRange): Promise<Readable | null>;
  /** Returns the document's length, or null if there is no document under the key. */
  size(key: string): Promise<number | null>;
  /** Idempotent. */
  erase(key: string): Promise<void>;
  /**
   * Lists every stored document, or those whose key begins with the words of `under`, in no particular order. Documents
   * stored or erased meanwhile may be missing.
   */
  list(under?: string): AsyncIterable<ListedDocument>;
  /** Stores, reads and erases a few bytes. Throws an error that names the store if that fails. */
  check(): Promise<void>;
  close(): void | Promise<void>;
};

const LONGEST_KEY = 200;
const KEY = /^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/;

/** Returns true if the text is a valid key: words of `a-z 0-9 -` joined by single slashes, at most 200 characters. */
export function isDocumentKey(text: string): boolean {
  return text.length <= LONGEST_KEY && KEY.test(text);
}

/** Returns the key. Throws a RangeError if it is not valid. */
export function requireKey(key: string): string {
  if (!isDocumentKey(key)) throw new RangeError(`not a document key: ${JSON.stringify(key)}`);
  return key;
}

/** Returns the range. Throws a RangeError if it is not valid. */
export function requireRange(range: ByteRange): ByteRange {
  const { first, last } = range;
  if (Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 0 && first <= last) return range;
  throw new RangeError(`not a byte range: ${first} to ${last}`);
}
