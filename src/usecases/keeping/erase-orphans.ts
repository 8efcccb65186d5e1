import type { ListedDocument } from "../../documents/documents.ts";
import { listUnneeded } from "../../store/upkeep/housekeeping.ts";
import type { Uses } from "../capabilities.ts";

export type OrphanReport = {
  /** Documents that were looked at: those that are old enough. */
  readonly examined: number;
  readonly orphans: number;
  /** 0 where there were too many to believe it. */
  readonly erased: number;
};

const PREFIX = "contracts/";
/** Longer than any import may take between storing a document and remembering it. */
const YOUNGEST_MS = 2 * 24 * 60 * 60 * 1000;
const STEP = 500;
const MOST_AT_ONCE = 10_000;
/** More orphans than this, and more than this share, is a wrong database or a shared bucket rather than rubbish. */
const BELIEVABLE = 20;
const BELIEVABLE_SHARE = 0.1;

/**
 * Erases documents that were stored for contracts but belong to none: what a process left that was killed between
 * storing and remembering. Where suspiciously many belong to nothing, none is erased and an error is logged:
 * the database may be another one than the documents'.
 */
export async function eraseOrphans(deps: Uses<"db" | "documents" | "log" | "now">): Promise<OrphanReport> {
  const { examined, orphans } = await findOrphans(deps);
  if (orphans.length > BELIEVABLE && orphans.length > examined * BELIEVABLE_SHARE) {
    deps.log.error(
      { examined, orphans: orphans.length },
      "too many documents belong to nothing: none was erased",
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

/** Keys of contracts' documents that have not been written to since the moment, a few hundred at a time. */
async function* batches(
  documents: AsyncIterable<ListedDocument>,
  before: Date,
): AsyncGenerator<string[], void, undefined> {
  let keys: string[] = [];
  for await (const { key, modifiedAt } of documents) {
    if (!key.startsWith(PREFIX) || modifiedAt >= before) continue;
    keys.push(key);
    if (keys.length < STEP) continue;
    yield keys;
    keys = [];
  }
  if (keys.length > 0) yield keys;
}
