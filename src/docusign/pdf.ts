import { DocuSignFault } from "./faults.ts";

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

function checkedHead(head: Uint8Array): Uint8Array {
  if (head.byteLength === 0) throw new DocuSignFault("never", "empty-document");
  if (!Buffer.from(head.subarray(0, HEAD_LENGTH)).includes(MARK))
    throw new DocuSignFault("never", "not-a-pdf");
  return head;
}
