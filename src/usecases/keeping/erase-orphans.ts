import type { ListedDocument } from "../../documents/documents.ts";
import { listUnneeded } from "../../store/upkeep/housekeeping.ts";
import type { Uses } from "../capabilities.ts";

export type OrphanReport = {
  /** Documents that were old enough to be checked. */
  readonly examined: number;
  readonly orphans: number;
  /** 0 if implausibly many documents were orphans. */
  readonly erased: number;
};

/** Version 0.1 knows only the first, so it does not take certificates for orphans. */
const PREFIXES = ["contracts/", "certificates/"];
/** Longer than any import takes between storing a document and recording it. */
const YOUNGEST_MS = 2 * 24 * 60 * 60 * 1000;
const STEP = 500;
const MOST_AT_ONCE = 10_000;
/** More orphans than both limits suggest the wrong database or a shared bucket. */
const PLAUSIBLE = 20;
const PLAUSIBLE_SHARE = 0.1;

/**
 * Erases documents and certificates that belong to no contract. A process that is killed between storing a document and recording it
 * leaves such an orphan. If implausibly many documents are orphans, erases none and logs an error: the database may
 * not be the one that belongs to this document store.
 */
export async function eraseOrphans(
  deps: Uses<"db" | "documents" | "log" | "metrics" | "now">,
): Promise<OrphanReport> {
  const { examined, orphans } = await findOrphans(deps);
  if (orphans.length > PLAUSIBLE && orphans.length > examined * PLAUSIBLE_SHARE) {
    deps.metrics.orphansKept();
    deps.log.error(
      { examined, orphans: orphans.length },
      "too many documents belong to no contract: none were erased",
    );
    return { examined, orphans: orphans.length, erased: 0 };
  }
  for (const key of orphans) await deps.documents.erase(key);
  return { examined, orphans: orphans.length, erased: orphans.length };
}

async function findOrphans(
  deps: Uses<"db" | "documents" | "now">,
): Promise<{ examined: number; orphans: string[] }> {
  const before = new Date(deps.now().getTime() - YOUNGEST_MS);
  const orphans: string[] = [];
  let examined = 0;
  for await (const keys of batches(deps.documents.list(), before)) {
    examined += keys.length;
    orphans.push(...(await listUnneeded(deps.db, keys)));
    if (orphans.length >= MOST_AT_ONCE) break;
  }
  return { examined, orphans };
}

/** Yields keys of contract documents last modified before the given time, a few hundred at a time. */
async function* batches(
  documents: AsyncIterable<ListedDocument>,
  before: Date,
): AsyncGenerator<string[], void, undefined> {
  let keys: string[] = [];
  for await (const { key, modifiedAt } of documents) {
    if (!PREFIXES.some((prefix) => key.startsWith(prefix)) || modifiedAt >= before) continue;
    keys.push(key);
    if (keys.length < STEP) continue;
    yield keys;
    keys = [];
  }
  if (keys.length > 0) yield keys;
}
