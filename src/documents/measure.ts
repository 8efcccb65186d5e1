import { createHash } from "node:crypto";
import type { StoredDocument } from "./documents.ts";

export type MeasuredSource = {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Size and hash of what has been read from `chunks` so far. */
  readonly measured: () => StoredDocument;
  /** The error that ended the source; null if the source has not failed. */
  readonly sourceError: () => Error | null;
};

/** Counts and hashes a stream while it passes, without buffering it. */
export function measure(source: AsyncIterable<Uint8Array>): MeasuredSource {
  const hash = createHash("sha256");
  let bytes = 0;
  let failure: Error | null = null;
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    // A consumer that fails may throw its error into the generator, which then continues here.
    let isPassing = false;
    try {
      for await (const chunk of source) {
        hash.update(chunk);
        bytes += chunk.length;
        isPassing = true;
        yield chunk;
        isPassing = false;
      }
    } catch (error) {
      if (!isPassing && error instanceof Error) failure = error;
      throw error;
    }
  }
  return {
    chunks: chunks(),
    measured: () => ({ bytes, sha256: hash.copy().digest("hex") }),
    sourceError: () => failure,
  };
}
