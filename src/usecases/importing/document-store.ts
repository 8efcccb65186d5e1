import { type DocumentStoreFault, storeErrorCode } from "../../documents/store-fault.ts";
import type { WaitingCause } from "../../domain/link-wait.ts";
import { listCurrentLinks } from "../../store/links/links.ts";
import { endOutage, findOutage, type Outage, recordFailedProbe, recordOutage } from "../../store/outages.ts";
import { enqueueStoreProbe } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { wakeBacklog } from "./wake-backlog.ts";

/** If the probe is late, imports look again after this long. */
const LOOK_AGAIN_MS = 5_000;

/** Returns the wait that an outage of the document store causes, or null. */
export function whyStoreWaits(outage: Outage | null, now: Date): WaitingCause | null {
  if (outage === null || outage.endedAt !== null) return null;
  const until = new Date(Math.max(outage.probeAt.getTime(), now.getTime() + LOOK_AGAIN_MS));
  return { reason: "document-store-unavailable", until, code: outage.code };
}

/** Returns what keeps imports waiting for the document store, or null. */
export async function findStoreWait({ db, now }: Uses<"db" | "now">): Promise<WaitingCause | null> {
  return whyStoreWaits(await findOutage(db), now());
}

/** Stops the imports of all processes after a refused write, and queues a probe of the store. */
export async function noteRefusedWrite(
  deps: Uses<"db" | "log" | "now">,
  fault: DocumentStoreFault,
): Promise<void> {
  const probeAt = await recordOutage(deps.db, fault.code, deps.now());
  if (probeAt === null) return;
  deps.log.error({ err: fault, code: fault.code }, "the document store refuses writes: imports wait");
  await enqueueStoreProbe(deps.db, probeAt);
}

/**
 * Probes the document store during an outage: stores, reads and erases a document. If that works, imports run again;
 * otherwise queues the next probe. Only one probe is queued at a time, for all processes.
 */
export async function probeDocumentStore(deps: Uses<"db" | "documents" | "log" | "now">): Promise<void> {
  const outage = await findOutage(deps.db);
  if (outage === null || outage.endedAt !== null) return;
  try {
    await deps.documents.check();
  } catch (error) {
    const code = storeErrorCode(error);
    deps.log.warn({ code, since: outage.since }, "the document store still refuses writes");
    const probeAt = await recordFailedProbe(deps.db, code, deps.now());
    if (probeAt !== null) await enqueueStoreProbe(deps.db, probeAt);
    return;
  }
  await endOutage(deps.db, deps.now());
  deps.log.warn({ since: outage.since }, "the document store accepts writes again");
  for (const link of await listCurrentLinks(deps.db)) await wakeBacklog(deps.db, link.id, deps.now());
}

/** Queues the probe of an outage again: its job may have been lost. */
export async function keepProbing({ db }: Uses<"db">): Promise<void> {
  const outage = await findOutage(db);
  if (outage !== null && outage.endedAt === null) await enqueueStoreProbe(db, outage.probeAt);
}
