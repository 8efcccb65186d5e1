import fc, { type RunDetails } from "fast-check";
import { worldPlan } from "./generate.ts";
import type { WorldPlan } from "./moves.ts";
import { playWorld } from "./play-world.ts";

/** Which worlds: a seed determines them; the path leads from the first of them to a simpler one that failed. */
export type Search = {
  readonly seed: number;
  readonly path?: string;
  readonly worlds: number;
  /** How long a failing world may be made simpler. */
  readonly shrinkMs: number;
};

/** Plays the seed's worlds; of the first that goes wrong gives the simplest story that still does, null where all went well. */
export async function findFailure({ seed, path, worlds, shrinkMs }: Search): Promise<string | null> {
  let deadline = Number.POSITIVE_INFINITY;
  const property = fc.asyncProperty(worldPlan, async (plan) => {
    // Simpler worlds that there is no time for count as well: the search then ends with the simplest that failed.
    if (performance.now() > deadline) return;
    try {
      await playWorld(plan);
    } catch (error) {
      deadline = Math.min(deadline, performance.now() + shrinkMs);
      throw error;
    }
  });
  const details = await fc.check(property, {
    seed,
    numRuns: worlds,
    ...(path !== undefined && { path, endOnFailure: true }),
  });
  return details.failed ? report(details) : null;
}

function report({ seed, counterexamplePath, errorInstance, numShrinks }: RunDetails<[WorldPlan]>): string {
  const story = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const replay = `node tools/long/worlds.ts --seed=${seed} --path=${counterexamplePath}`;
  return `${story}\n\nMade simpler ${numShrinks} times. Once more: ${replay}`;
}
