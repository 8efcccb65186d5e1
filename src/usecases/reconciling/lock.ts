import { setTimeout as sleep } from "node:timers/promises";
import type { LinkId } from "../../domain/identifiers.ts";
import type { Database } from "../../store/database.ts";
import { withLock } from "../../store/locks.ts";

/**
 * Runs a step of the link's reconciliation under an advisory lock. Returns null without running it if another process
 * holds the lock.
 */
export async function reconcileAlone<T>(
  db: Database,
  linkId: LinkId,
  step: () => Promise<T>,
): Promise<T | null> {
  return await withLock(db, `reconcile ${linkId}`, step);
}

/** Another process finishes its page of the same link within seconds. */
const TRIES = 40;
const PAUSE_MS = 250;

/** Does what `reconcileAlone` does, but waits up to ten seconds for the lock. */
export async function reconcileAloneSoon<T>(
  db: Database,
  linkId: LinkId,
  step: () => Promise<T>,
): Promise<T | null> {
  for (let left = TRIES; left > 0; left -= 1) {
    const result = await reconcileAlone(db, linkId, step);
    if (result !== null) return result;
    await sleep(PAUSE_MS);
  }
  return null;
}
