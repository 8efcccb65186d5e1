import { spreadWithin } from "../../domain/schedule.ts";
import { listCurrentLinks } from "../../store/links/links.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { keepProbing } from "../importing/document-store.ts";

/** With many links, the reconciliations of an hour are spread over its first minutes. */
const SPREAD_MS = 3 * 60 * 1000;
const FEW_LINKS = 20;

/**
 * Queues the reconciliation of every link for an hour, which accounts for what completed before it (import-rules 3).
 */
export async function reconcileAll(deps: Uses<"db" | "now">, hour: Date): Promise<void> {
  await keepProbing(deps);
  const links = await listCurrentLinks(deps.db);
  for (const link of links) {
    const delay = links.length <= FEW_LINKS ? 0 : spreadWithin(link.id, SPREAD_MS);
    const runAt = delay === 0 ? null : new Date(deps.now().getTime() + delay);
    await enqueueReconciliation(deps.db, {
      linkId: link.id,
      hour,
      runAt,
      first: link.firstImport.listedAt === null,
    });
  }
}
