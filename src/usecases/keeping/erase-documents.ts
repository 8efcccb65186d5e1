import { listToErase, markErased } from "../../store/contracts/contracts.ts";
import type { Uses } from "../capabilities.ts";

const AT_ONCE = 100;

/** Erases the bytes of all deleted contracts. If the document store fails, the job is retried. */
export async function eraseDocuments(deps: Uses<"db" | "documents" | "now">): Promise<void> {
  for (;;) {
    const waiting = await listToErase(deps.db, AT_ONCE);
    for (const { id, documentKey } of waiting) {
      await deps.documents.erase(documentKey);
      await markErased(deps.db, id, deps.now());
    }
    if (waiting.length < AT_ONCE) return;
  }
}
