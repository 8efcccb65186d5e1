import { DocuSignFault } from "../faults/faults.ts";

/** PDF readers look for the mark in the first 1,024 bytes: anything may stand before it. */
const HEAD_LENGTH = 1_024;
const MARK = "%PDF-";

/** Passes a PDF on unchanged; fails with `empty-document` or `not-a-pdf` before anything of another thing gets out. */
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

/** PDF readers look for the mark of the end near it: anything short may stand after it. */
const TAIL_LENGTH = 2_048;
const END_MARK = "%%EOF";

/**
 * Passes on what should be a whole PDF unchanged, holding no more than its last 2 KiB; fails with `truncated` after
 * the last piece where these lack the mark of the end.
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
