import { listCurrentLinkIds } from "../../store/links/links.ts";
import { enqueueHour } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { keepProbing } from "../importing/document-store.ts";

/** With many links, the reconciliations of an hour are spread over its first minutes. */
const SPREAD_MS = 3 * 60 * 1000;
/** The links of a job share their statements. A job takes seconds, so that workers are soon free for events. */
export const LINKS_OF_JOB = 50;

/**
 * Queues the reconciliation of every link for an hour, which accounts for what completed before it (import-rules 3).
 */
export async function reconcileAll(deps: Uses<"db" | "now">, hour: Date): Promise<void> {
  await keepProbing(deps);
  const linkIds = await listCurrentLinkIds(deps.db);
  const jobs = Math.ceil(linkIds.length / LINKS_OF_JOB);
  await enqueueHour(
    deps.db,
    Array.from({ length: jobs }, (_, index) => ({
      linkIds: linkIds.slice(index * LINKS_OF_JOB, (index + 1) * LINKS_OF_JOB),
      hour,
      runAt: index === 0 ? null : new Date(deps.now().getTime() + (SPREAD_MS * index) / jobs),
    })),
  );
}
