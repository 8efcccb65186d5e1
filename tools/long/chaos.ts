import { playChaos } from "../../test/support/chaos/chaos.ts";
import { killedProcesses } from "../../test/support/chaos/killed-process.ts";

export const CHAOS_SEEDS = 50;
/** Of so many seeds, one has workers that are processes of their own: starting them takes its time. */
const PROCESSES_EVERY = 3;

/** Plays a seed, and says in a line what it was; the same seed has the same envelopes and faults. Throws naming the seed. */
export async function playSeed(seed: number, write: (line: string) => void): Promise<void> {
  const withProcesses = seed % PROCESSES_EVERY === 0;
  const begun = performance.now();
  try {
    await (withProcesses ? playChaos(seed, killedProcesses) : playChaos(seed));
  } catch (error) {
    throw new Error(`chaos, seed ${seed}: failed`, { cause: error });
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  const workers = withProcesses ? "worker processes killed" : "workers stopped";
  write(`chaos, seed ${seed}: 500 envelopes as the rules name, ${workers}, ${seconds} s`);
}

/** Plays all seeds, or until it is told to stop. */
export async function playChaosSeeds(signal: AbortSignal, write: (line: string) => void): Promise<void> {
  for (let seed = 1; seed <= CHAOS_SEEDS && !signal.aborted; seed += 1) await playSeed(seed, write);
}
