import { writeTombstone } from "../../documents/tombstones.ts";
import type { ContractTombstone } from "../../domain/tombstone.ts";
import { listWithoutTombstone, markTombstonesWritten } from "../../store/upkeep/tombstones.ts";
import type { Uses } from "../capabilities.ts";

const STEP = 200;
const AT_ONCE = 16;
/** After this long, the rest is left to the next hour. */
const LONGEST_MS = 10 * 60 * 1000;

/**
 * Writes the tombstones of contracts that were deleted without one, by version 0.1. If the document store refuses, the
 * next hour continues. Returns the number of tombstones.
 */
export async function writeMissingTombstones(
  deps: Uses<"db" | "documents" | "log" | "now">,
): Promise<number> {
  const startedAt = deps.now().getTime();
  let written = 0;
  try {
    while (deps.now().getTime() - startedAt < LONGEST_MS) {
      const missing = await listWithoutTombstone(deps.db, STEP);
      if (missing.length === 0) break;
      await writeAll(deps, missing);
      written += missing.length;
    }
  } catch (error) {
    deps.log.warn({ err: error, written }, "tombstones of earlier deletions could not be written");
  }
  return written;
}

async function writeAll(
  deps: Uses<"db" | "documents" | "now">,
  missing: readonly ContractTombstone[],
): Promise<void> {
  for (let start = 0; start < missing.length; start += AT_ONCE) {
    const some = missing.slice(start, start + AT_ONCE);
    await Promise.all(some.map(async (tombstone) => await writeTombstone(deps.documents, tombstone)));
  }
  await markTombstonesWritten(
    deps.db,
    missing.map(({ id }) => id),
    deps.now(),
  );
}
