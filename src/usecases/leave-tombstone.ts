import { writeTombstone } from "../documents/tombstones.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Tombstone } from "../domain/tombstone.ts";
import type { Uses } from "./capabilities.ts";

/** Writes the tombstone. Refuses with `unavailable` if the document store does not take it: nothing may be deleted then. */
export async function leaveTombstone({ documents }: Uses<"documents">, tombstone: Tombstone): Promise<void> {
  try {
    await writeTombstone(documents, tombstone);
  } catch (cause) {
    throw new Refusal("unavailable", "The document store is unavailable. Nothing was deleted.", { cause });
  }
}
