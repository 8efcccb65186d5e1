import assert from "node:assert/strict";
import type { Foundation } from "../../src/foundation.ts";
import type { World } from "../support/world.ts";
import { startDoomed } from "./doomed-process.ts";
import { type Blow, createFate, type Doom } from "./fate.ts";
import { takeSnapshot } from "./snapshot.ts";

/** What a process does that something befalls, what happens after that, and how one sees what came of it. */
export type Story<Outcome> = {
  readonly act: (process: Foundation) => Promise<unknown>;
  readonly recover: () => Promise<unknown>;
  readonly tell: () => Promise<Outcome>;
  /** Where a story is worth telling; at every step by default. */
  readonly at?: (step: string) => boolean;
};

export type Told<Outcome> = { readonly outcome: Outcome; readonly steps: readonly string[] };

/**
 * Plays the story from where the world stands, first unharmed, then with each blow at each of its steps. Throws if
 * one of these comes to another outcome than the first, or was not struck. Returns the first.
 */
export async function strikeEverywhere<Outcome>(world: World, story: Story<Outcome>): Promise<Told<Outcome>> {
  const snapshot = await takeSnapshot(world);
  const told = await play(world, story, null);
  for (const doom of doomsOf(told.steps, story.at ?? (() => true))) {
    await snapshot.restore();
    const { outcome } = await play(world, story, doom);
    const step = `step ${doom.step} of ${told.steps.length}: ${told.steps[doom.step - 1]}`;
    assert.deepEqual(outcome, told.outcome, `a process that ${doom.blow} ${step}`);
  }
  return told;
}

/** To die after a step is to die before the next one that does something; only of the last one there is none. */
function doomsOf(steps: readonly string[], isAsked: (step: string) => boolean): Doom[] {
  const dooms = steps.flatMap((step, index) =>
    blowsTo(steps, step, index).map((blow): Doom => ({ blow, step: index + 1 })),
  );
  const last = steps.findLastIndex((step) => !isReading(step));
  const all: Doom[] = [...dooms, { blow: "dies after", step: last + 1 }];
  return all.filter(({ step }) => isAsked(steps[step - 1] ?? ""));
}

/**
 * What only reads leaves no trace, and what a transaction did goes with its connection, answered or not: to die at any
 * of its statements is to die before its first one, or before it commits.
 */
function blowsTo(steps: readonly string[], step: string, index: number): Blow[] {
  if (isReading(step)) return [];
  if (!isWithinTransaction(steps, index)) return ["dies before", "is refused", "gets no answer for"];
  const before = steps.findLastIndex((one, place) => place < index && !isReading(one));
  return isWithinTransaction(steps, before) ? ["is refused"] : ["dies before", "is refused"];
}

function isReading(step: string): boolean {
  return /^(select|begin|rollback)\b/.test(step) && !/add_job|pg_notify/.test(step);
}

function isWithinTransaction(steps: readonly string[], index: number): boolean {
  const begun = steps.lastIndexOf("begin", index);
  const isDatabases = !FOREIGN.test(steps[index] ?? "");
  return begun !== -1 && isDatabases && !steps.slice(begun, index + 1).includes("commit");
}

const FOREIGN = /^(GET|POST|PUT|DELETE|store|erase) [/a]/;

/** The steps that the database has no part in. */
export function foreignSteps(steps: readonly string[]): string[] {
  return steps.filter((step) => FOREIGN.test(step));
}

async function play<Outcome>(
  world: World,
  { act, recover, tell }: Story<Outcome>,
  doom: Doom | null,
): Promise<Told<Outcome>> {
  const fate = createFate(doom);
  const failure = await actDoomed(world, act, fate);
  if (doom === null) assert.ifError(failure);
  assert.equal(fate.isStruck, doom !== null, `nothing struck the process that ${doom?.blow} ${doom?.step}`);
  await recover();
  return { outcome: await tell(), steps: fate.steps };
}

async function actDoomed(
  world: World,
  act: Story<unknown>["act"],
  fate: ReturnType<typeof createFate>,
): Promise<unknown> {
  await using process = await startDoomed(world, fate);
  try {
    await act(process);
    return null;
  } catch (error) {
    return error;
  }
}
