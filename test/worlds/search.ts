import fc, { type RunDetails } from "fast-check";
import { crowdedPlan } from "./crowd.ts";
import { worldPlan } from "./generate.ts";
import type { WorldPlan } from "./moves.ts";
import { playWorld } from "./play-world.ts";

/** Small worlds in which anything happens, or worlds of 500 envelopes in an hour of faults. */
export type Kind = "worlds" | "chaos";

/** Which worlds: a seed determines them; the path leads from the first of them to a simpler one that failed. */
export type Search = {
  readonly kind: Kind;
  readonly seed: number;
  readonly path?: string | undefined;
  readonly worlds: number;
  /** How long a failing world may be made simpler. */
  readonly shrinkMs: number;
};

/** Plays the seed's worlds. Returns the simplest story found of the first that fails; null if none does. */
export async function findFailure({ kind, seed, path, worlds, shrinkMs }: Search): Promise<string | null> {
  let deadline = Number.POSITIVE_INFINITY;
  let played = 0;
  const property = fc.asyncProperty(plansOf(kind, seed), async (plan) => {
    // Simpler worlds that there is no time for count as well: the search then ends with the simplest that failed.
    if (performance.now() > deadline) return;
    // A path names one world; fast-check goes on to its neighbours if that one passes.
    if (path !== undefined && played > 0) return;
    played += 1;
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
    unbiased: kind === "chaos",
    ...(path !== undefined && { path, endOnFailure: true }),
  });
  return details.failed ? report(kind, details) : null;
}

/** Every second seed of chaos kills worker processes. */
function plansOf(kind: Kind, seed: number): fc.Arbitrary<WorldPlan> {
  return kind === "worlds" ? worldPlan : crowdedPlan(seed % 2 === 0);
}

function report(kind: Kind, details: RunDetails<[WorldPlan]>): string {
  const { seed, counterexamplePath, errorInstance, numShrinks } = details;
  const story = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const replay = `npm run test:long -- --only ${kind} --seed ${seed} --path ${counterexamplePath}`;
  return `${story}\n\nMade simpler ${numShrinks} times. Once more: ${replay}`;
}
