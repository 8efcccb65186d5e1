import type { LinkId } from "../domain/identifiers.ts";
import type { Database } from "../store/database.ts";
import { withLock } from "../store/locks.ts";

/** Runs a step of the link's reconciliation alone; null, without running it, where another process is at one. */
export async function reconcileAlone<T>(
  db: Database,
  linkId: LinkId,
  step: () => Promise<T>,
): Promise<T | null> {
  return await withLock(db, `reconcile ${linkId}`, step);
}
