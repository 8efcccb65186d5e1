import { setTimeout as sleep } from "node:timers/promises";
import { type ListedTombstone, listTombstones, readTombstone } from "../../documents/tombstones.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import type { Tombstone } from "../../domain/tombstone.ts";
import { addRestoredEntries } from "../../store/contracts/feed-notes.ts";
import { withLock } from "../../store/locks.ts";
import { findNewestMoment, listUnknownDeletions } from "../../store/upkeep/tombstones.ts";
import type { Uses } from "../capabilities.ts";
import { type Missing, missingDeletion } from "./missing-deletion.ts";
import { applyContract, applyLink, applyTenant } from "./repeat-deletion.ts";

type Deps = Uses<"db" | "documents" | "log" | "notifier" | "now" | "openAccount" | "publicUrl">;

export type Applied = {
  /** Tombstones in the period. */
  readonly read: number;
  /** Contracts that are deleted again; those that the database has no row of will stay away. */
  readonly contracts: number;
  readonly links: readonly LinkId[];
  readonly tenants: readonly string[];
  /** Tenants that have been used again since their erasure: nothing of them is erased. */
  readonly reused: readonly string[];
  /** New entries in the feed. */
  readonly restored: number;
};

/** The period of tombstones, and the moment to which an operator set the database back; null if only a look is due. */
export type Period = { readonly from: Date; readonly reported: Date | null };

/**
 * Repeats deletions that the document store remembers and the database does not know. It may have been set back, or the
 * commit of a deletion failed. Contracts are deleted again, links ended and tenants erased. If the database was set back,
 * readers of the feed get a `restored` entry first. Idempotent. One process at a time does this; others wait.
 */
export async function applyTombstones(deps: Deps, period: Period): Promise<Applied> {
  for (let left = TRIES; left > 0; left -= 1) {
    const applied = await withLock(deps.db, "apply tombstones", async () => await applyAlone(deps, period));
    if (applied !== null) return applied;
    await sleep(PAUSE_MS);
  }
  throw new Error("another process has been applying tombstones for too long");
}

const TRIES = 480;
const PAUSE_MS = 250;
const DAY_MS = 24 * 60 * 60 * 1000;
const STEP = 500;

async function applyAlone(deps: Deps, { from, reported }: Period): Promise<Applied> {
  const { read, missing } = await findMissing(deps, { from, reported });
  const restored = await announce(deps, missing, reported);
  const contracts = missing.filter(({ tombstone }) => tombstone.kind === "contract");
  const links: LinkId[] = [];
  const tenants: string[] = [];
  const reused: string[] = [];
  for (const { tombstone, isLost } of missing) {
    switch (tombstone.kind) {
      case "contract":
        await applyContract(deps, tombstone);
        break;
      case "link":
        if (await applyLink(deps, tombstone, isLost)) links.push(tombstone.id);
        break;
      case "tenant":
        ((await applyTenant(deps, tombstone)) ? tenants : reused).push(tombstone.tenant);
        break;
    }
  }
  return { read, contracts: contracts.length, links, tenants, reused, restored };
}

/** Reads the tombstones that the database does not know. */
async function findMissing(
  deps: Deps,
  { from, reported }: Period,
): Promise<{ read: number; missing: Missing[] }> {
  // Clocks differ, and a deletion may have been committed long after its tombstone.
  const to = new Date(deps.now().getTime() + DAY_MS);
  const missing: Missing[] = [];
  let read = 0;
  for await (const batch of batches(listTombstones(deps.documents, { from, to }))) {
    read += batch.length;
    for (const key of await unknownOf(deps, batch)) {
      const tombstone = await readOne(deps, key, reported);
      const one = tombstone === null ? null : await missingDeletion(deps, tombstone);
      if (one !== null) missing.push(one);
    }
  }
  return { read, missing };
}

/** One that cannot be read must not keep the others from being applied, unless an operator can look at it. */
async function readOne(
  { documents, log }: Uses<"documents" | "log">,
  key: string,
  reported: Date | null,
): Promise<Tombstone | null> {
  try {
    return await readTombstone(documents, key);
  } catch (error) {
    if (reported !== null) throw error;
    log.error({ err: error }, "a tombstone could not be read");
    return null;
  }
}

/** Returns the keys of the tombstones whose deletions the database does not know. */
async function unknownOf({ db }: Uses<"db">, listed: readonly ListedTombstone[]): Promise<string[]> {
  const idsOf = (kind: string): string[] =>
    listed.flatMap((one) => (one.kind === kind && one.id !== null ? [one.id] : []));
  const unknown = new Set([
    ...(await listUnknownDeletions(db, "contract", idsOf("contract"))),
    ...(await listUnknownDeletions(db, "link", idsOf("link"))),
  ]);
  return listed.filter(({ id }) => id === null || unknown.has(id)).map(({ key }) => key);
}

/**
 * Adds the feed's `restored` entries if the database was set back. They come before the deletions, so that a process that
 * dies in between announces them again.
 */
async function announce(
  { db, log }: Uses<"db" | "log">,
  missing: readonly Missing[],
  reported: Date | null,
): Promise<number> {
  if (reported !== null) return await addRestoredEntries(db, reported);
  const lost = missing.filter(({ isLost }) => isLost).map(({ tombstone }) => tombstone.deletedAt.getTime());
  if (lost.length === 0) return 0;
  const newest = await findNewestMoment(db);
  // A service that ran on has newer rows by now.
  const since = new Date(Math.min(...lost, newest?.getTime() ?? Number.POSITIVE_INFINITY));
  log.error({ since, deletions: lost.length }, "the database was set back: it does not know deletions");
  return await addRestoredEntries(db, since);
}

async function* batches(
  listed: AsyncIterable<ListedTombstone>,
): AsyncGenerator<ListedTombstone[], void, undefined> {
  let batch: ListedTombstone[] = [];
  for await (const one of listed) {
    batch.push(one);
    if (batch.length < STEP) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const TWO_DAYS_MS = 2 * DAY_MS;

/** Applies the tombstones of the last two days, at the start and every hour, before anything is imported. */
export async function applyRecentTombstones(deps: Deps): Promise<void> {
  const from = new Date(deps.now().getTime() - TWO_DAYS_MS);
  try {
    await applyTombstones(deps, { from, reported: null });
  } catch (error) {
    // The hour must go on: without the document store nothing is imported either.
    deps.log.error({ err: error }, "tombstones could not be applied");
  }
}
