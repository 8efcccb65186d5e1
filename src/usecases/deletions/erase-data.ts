import { setTimeout as sleep } from "node:timers/promises";
import { keyOf, listTombstonesOf } from "../../documents/tombstones.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import {
  beginErasure,
  countRunningJobs,
  endErasure,
  eraseRows,
  findLinksOf,
  hasRows,
  listKeysOf,
} from "../../store/upkeep/tenant-erasure.ts";
import type { Uses } from "../capabilities.ts";

export type ErasedData = {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly documents: number;
  readonly tombstones: number;
};

type Deps = Uses<"db" | "documents" | "now">;

/**
 * Erases documents, rows and tombstones of a tenant whose link has ended and whose own tombstone is written. Documents go
 * first: without their rows they could not be found again. An interrupted erasure can be repeated.
 */
export async function eraseData(deps: Deps, tenant: string, at: Date): Promise<ErasedData> {
  const { db, documents } = deps;
  await beginErasure(db, tenant, at);
  const { ids } = await findLinksOf(db, tenant);
  await awaitJobs(deps, ids);
  const rows: Record<string, number> = {};
  let erased = 0;
  // A request that was under way may have added a row.
  while (await hasRows(db, tenant)) {
    const keys = await listKeysOf(db, tenant);
    await inParallel(keys, async (key) => await documents.erase(key));
    erased += keys.length;
    const removed = await db.transaction().execute(async (tx) => await eraseRows(tx, tenant, ids));
    for (const [table, count] of Object.entries(removed)) rows[table] = (rows[table] ?? 0) + count;
  }
  const own = keyOf({ kind: "tenant", tenant, deletedAt: at });
  const tombstones = (await listTombstonesOf(documents, tenant)).filter((key) => key !== own);
  await inParallel(tombstones, async (key) => await documents.erase(key));
  await endErasure(db, tenant, deps.now());
  return { rows, documents: erased, tombstones: tombstones.length };
}

const TRIES = 120;
const PAUSE_MS = 500;

/** An import that is under way notices at its commit that its link has ended, but may have stored a document. */
async function awaitJobs({ db }: Uses<"db">, linkIds: readonly LinkId[]): Promise<void> {
  for (let left = TRIES; left > 0; left -= 1) {
    if ((await countRunningJobs(db, linkIds)) === 0) return;
    await sleep(PAUSE_MS);
  }
}

const AT_ONCE = 8;

/** The document store takes some calls at the same time. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}
