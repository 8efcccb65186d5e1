import { emptySlot } from "../../store/events/event-bodies.ts";
import { enqueueEmptying } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Without it, emptying the slots of a day would slow down the receiver (docs/benchmarks.md). */
export const PAUSE_MS = 30_000;

/**
 * Empties one slot of event bodies that are older than the retention. If more are due, queues a job that empties the next
 * one after a pause. Returns the number of emptied slots. Slots that are in use are left to the next hour.
 */
export async function emptyEventBodies(
  { db, eventRetentionDays }: Uses<"db" | "eventRetentionDays">,
  now: Date,
): Promise<number> {
  const emptied = await emptySlot(db, new Date(now.getTime() - eventRetentionDays * DAY_MS));
  if (emptied === null) return 0;
  if (emptied.left > 0) await enqueueEmptying(db, new Date(now.getTime() + PAUSE_MS));
  return 1;
}
