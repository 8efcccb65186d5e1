import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { DocumentStore } from "./documents.ts";

const PROBE = Buffer.from("torikomi");

/**
 * Tries what imports will do: store, read, erase. Throws with the place in the message and the store's own
 * fault as cause.
 */
export async function probe(store: Omit<DocumentStore, "check">, place: string): Promise<void> {
  // A key of its own, so that checks of several processes don't disturb each other.
  const key = `check/${randomUUID()}`;
  try {
    await store.put(key, oneChunk(PROBE));
    const stream = await store.open(key);
    if (stream === null || !PROBE.equals(await buffer(stream)))
      throw new Error("what was stored can't be read back");
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
