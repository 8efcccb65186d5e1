import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerEvents } from "graphile-worker";
import type { Address } from "../store/address.ts";
import type { Database } from "../store/database.ts";
import {
  listUnheldPools,
  openWorkerLocks,
  unlockPools,
  type WorkerLockOptions,
} from "../store/queue/worker-locks.ts";
import type { Log, Uses } from "../usecases/capabilities.ts";

/** Says to other processes that this one's worker pools are alive (design decision 13). */
export type WorkerLock = {
  /** For graphile-worker's `run` and `runOnce`: their pools are known by what they tell here. */
  readonly events: WorkerEvents;
  /** Gives the jobs of this process's pools back at once, though they have not ended. */
  giveBack(db: Database): Promise<void>;
  /** After the pools have stopped. */
  close(): Promise<void>;
};

/** Starts holding a lock for each worker pool that is made with its `events`; see `openWorkerLocks`. */
export function startWorkerLock(address: Address, options: WorkerLockOptions = {}): WorkerLock {
  const locks = openWorkerLocks(address, options);
  const events: WorkerEvents = new EventEmitter();
  const pools = new Set<string>();
  events.on("pool:create", ({ workerPool: { id } }) => {
    pools.add(id);
    locks.hold(id);
  });
  events.on("pool:release", ({ workerPool }) => locks.release(workerPool.id));
  return {
    events,
    giveBack: async (db) => await unlockPools(db, [...pools]),
    close: async () => await locks.close(),
  };
}

/** A worker that starts, or whose connection was cut, takes its lock again within a second or two. */
const PATIENCE_MS = 5_000;

/**
 * Gives back the jobs of worker pools that died, so that others take them up at once: pools whose lock nobody holds,
 * now and again after `patienceMs`. Names them. To be run at the start of each worker and every minute.
 */
export async function unlockDeadWorkers(
  deps: Uses<"db"> & { readonly log: Pick<Log, "warn">; readonly patienceMs?: number },
): Promise<string[]> {
  const suspects = await listUnheldPools(deps.db);
  if (suspects.length === 0) return [];
  await sleep(deps.patienceMs ?? PATIENCE_MS);
  const still = new Set(await listUnheldPools(deps.db));
  const dead = suspects.filter((pool) => still.has(pool));
  if (dead.length === 0) return [];
  await unlockPools(deps.db, dead);
  deps.log.warn({ workerPools: dead }, "gave back the jobs of workers that died");
  return dead;
}
