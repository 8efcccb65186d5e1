import type { LinkId } from "../../domain/identifiers.ts";
import type { Database } from "../../store/database.ts";
import { nextDueAt } from "../../store/ledger/waiting-envelopes.ts";
import { findLink } from "../../store/links/links.ts";
import { enqueueBacklog } from "../../store/queue/queue.ts";
import { isFirstImport, isImporting } from "./first-import.ts";

/** Queues the link's backlog: to run now if an envelope is due, otherwise when the next one is. */
export async function wakeBacklog(db: Database, linkId: LinkId, now: Date): Promise<void> {
  const due = await nextDueAt(db, linkId);
  const link = due === null ? null : await findLink(db, linkId);
  if (due === null || !isImporting(link)) return;
  await enqueueBacklog(db, { linkId, lane: 0, runAt: due <= now ? null : due, first: isFirstImport(link) });
}
