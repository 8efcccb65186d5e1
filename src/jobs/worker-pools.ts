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

/** Shows other processes that the worker pools of this one are alive (design decision 13). */
export type WorkerLock = {
  /** Pass these to graphile-worker's `run` and `runOnce`: their pools become known through them. */
  readonly events: WorkerEvents;
  /** Releases the unfinished jobs of this process's pools at once. */
  giveBack(db: Database): Promise<void>;
  /** Call after the pools have stopped. */
  close(): Promise<void>;
};

/** Holds a lock for each worker pool that is created with its `events`; see `openWorkerLocks`. */
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

/** A worker that starts, or whose connection broke, takes its lock within a second or two. */
const PATIENCE_MS = 5_000;

/**
 * Releases the jobs of dead worker pools, so that others run them at once, and returns the pools' names. A pool is dead if
 * its lock is not held, neither now nor after `patienceMs`. Run it at the start of each worker and every minute.
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
  deps.log.warn({ workerPools: dead }, "released the jobs of dead workers");
  return dead;
}
