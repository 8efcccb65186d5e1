import { createWorld } from "../support/world.ts";
import { compare } from "./compare.ts";
import type { Hour, WorldPlan } from "./moves.ts";
import { play } from "./play.ts";
import { openStage, type Stage, tell } from "./stage.ts";
import { strike } from "./workers.ts";

const HOUR_MS = 3_600_000;
/** In the second hour a day begins in Japan. */
const START = "2031-01-15T13:10:00Z";
const QUIET: Hour = { skipped: 0, moves: [], deaths: [null] };

/** A world that went another way than the rules; its message tells the story. */
class WorldWentWrong extends Error {
  override readonly name = "WorldWentWrong";

  constructor(story: readonly string[], cause: unknown) {
    super(`${describe(cause)}\n\nThe story:\n${story.map((line) => `  ${line}`).join("\n")}`, { cause });
  }
}

/** The first error; disposing of a world reports further ones. */
function describe(cause: unknown): string {
  if (cause instanceof SuppressedError)
    return `${describe(cause.suppressed)}\n\nand: ${describe(cause.error)}`;
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Plays a world and compares it with the rules after each hour, and after one more in which DocuSign has calls to
 * spare and nothing happens. Gives its story; throws `WorldWentWrong`.
 */
export async function playWorld(plan: WorldPlan): Promise<readonly string[]> {
  const { importTiming, largeImport } = plan;
  const story: string[] = [];
  try {
    await using world = await createWorld({
      at: START,
      config: { importTiming, largeImport },
      docusign: { validate: false },
    });
    const stage = { ...(await openStage(world, plan)), story };
    for (const move of plan.opening) await play(stage, move);
    for (const hour of plan.hours) await playHour(stage, hour);
    tell(stage, "nothing happens any more");
    world.docusign.setLimits({});
    for (const tenant of stage.tenants.keys()) await play(stage, { kind: "resume", minutes: 0, tenant });
    await playHour({ ...stage, plan: { ...plan, hourly: null } }, QUIET);
    return story;
  } catch (error) {
    throw new WorldWentWrong(story, error);
  }
}

async function playHour(stage: Stage, { skipped, moves, deaths }: Hour): Promise<void> {
  const { clock } = stage.world;
  if (skipped > 0) tell(stage, `for ${skipped} hours nothing runs`);
  clock.pass(skipped * HOUR_MS);
  for (const move of moves) await play(stage, move);
  const hour = new Date((Math.floor(clock.now.getTime() / HOUR_MS) + 1) * HOUR_MS);
  await strike(stage, hour, deaths);
  await compare(stage, hour);
}
