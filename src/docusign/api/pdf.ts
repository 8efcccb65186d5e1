import { DocuSignFault } from "../faults/faults.ts";

/** PDF readers look for the header in the first 1,024 bytes; anything may precede it. */
const HEAD_LENGTH = 1_024;
const MARK = "%PDF-";

/** Passes a PDF through unchanged. Fails with `empty-document` or `not-a-pdf` before any other content gets through. */
export async function* asPdf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let head: Uint8Array | null = new Uint8Array();
  for await (const piece of pieces) {
    if (head === null) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.byteLength < HEAD_LENGTH) continue;
    yield checkedHead(head);
    head = null;
  }
  if (head !== null) yield checkedHead(head);
}

/** PDF readers look for the end marker near the end; a short text may follow it. */
const TAIL_LENGTH = 2_048;
const END_MARK = "%%EOF";

/**
 * Passes a PDF through unchanged and buffers only its last 2 KiB. Fails with `truncated` after the last chunk if these
 * bytes lack the end marker.
 */
export async function* untilEndMark(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let tail = Buffer.alloc(0);
  for await (const piece of pieces) {
    yield piece;
    tail = Buffer.concat([tail, piece.subarray(-TAIL_LENGTH)]).subarray(-TAIL_LENGTH);
  }
  if (!tail.includes(END_MARK)) throw new DocuSignFault("later", "truncated");
}

function checkedHead(head: Uint8Array): Uint8Array {
  if (head.byteLength === 0) throw new DocuSignFault("never", "empty-document");
  if (!Buffer.from(head.subarray(0, HEAD_LENGTH)).includes(MARK))
    throw new DocuSignFault("never", "not-a-pdf");
  return head;
}
