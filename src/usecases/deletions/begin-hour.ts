import type { Uses } from "../capabilities.ts";
import { reconcileAll } from "../reconciling/reconcile-all.ts";
import { applyRecentTombstones } from "./apply-tombstones.ts";
import { writeMissingTombstones } from "./write-missing-tombstones.ts";

/**
 * Begins the work of an hour. Deletions that a database has lost come before anything is imported, and the tombstones of
 * earlier deletions after the reconciliations are queued: they may take minutes.
 */
export async function beginHour(
  deps: Uses<"db" | "documents" | "log" | "notifier" | "now" | "openAccount" | "publicUrl">,
  hour: Date,
): Promise<void> {
  await applyRecentTombstones(deps);
  await reconcileAll(deps, hour);
  await writeMissingTombstones(deps);
}
