import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { DocumentStore } from "./documents.ts";

const PROBE = Buffer.from("torikomi");

/**
 * Tries what imports do: store, read, erase. Throws an error that names the store, with the store's own error as its
 * cause.
 */
export async function probe(store: Omit<DocumentStore, "check">, place: string): Promise<void> {
  // A random key keeps checks of several processes apart.
  const key = `check/${randomUUID()}`;
  try {
    await store.put(key, oneChunk(PROBE));
    const stream = await store.open(key);
    if (stream === null || !PROBE.equals(await buffer(stream)))
      throw new Error("the stored bytes cannot be read back");
    await store.erase(key);
  } catch (cause) {
    throw new Error(`documents can't be stored in ${place}: ${describe(cause)}`, { cause });
  }
}

async function* oneChunk(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield chunk;
}

function describe(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
