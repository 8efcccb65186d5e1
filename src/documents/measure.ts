import { createHash } from "node:crypto";
import type { StoredDocument } from "./documents.ts";

export type MeasuredSource = {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Size and hash of what has been read from `chunks` so far. */
  readonly measured: () => StoredDocument;
};

/** Counts and hashes a stream while it passes, without buffering it. */
export function measure(source: AsyncIterable<Uint8Array>): MeasuredSource {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  return { chunks: chunks(), measured: () => ({ bytes, sha256: hash.copy().digest("hex") }) };
}
