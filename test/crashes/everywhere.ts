import assert from "node:assert/strict";
import type { Foundation } from "../../src/foundation.ts";
import type { World } from "../support/world.ts";
import { startDoomed } from "./doomed-process.ts";
import { type Blow, createFate, type Doom } from "./fate.ts";
import { takeSnapshot } from "./snapshot.ts";

/** A story whose process fails: its steps, what follows, and how to observe the outcome. */
export type Story<Outcome> = {
  readonly act: (process: Foundation) => Promise<unknown>;
  readonly recover: () => Promise<unknown>;
  readonly tell: () => Promise<Outcome>;
  /** The steps at which to fail; every step by default. */
  readonly at?: (step: string) => boolean;
};

export type Told<Outcome> = { readonly outcome: Outcome; readonly steps: readonly string[] };

/**
 * Plays the story from the current state of the world: first without a failure, then with each failure at each step. Throws
 * if an outcome differs from the first one or a failure did not occur. Returns the first outcome.
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

/** Dying after a step equals dying before the next one, except for the last step. */
function doomsOf(steps: readonly string[], isAsked: (step: string) => boolean): Doom[] {
  const dooms = steps.flatMap((step, index) =>
    blowsTo(steps, step, index).map((blow): Doom => ({ blow, step: index + 1 })),
  );
  const last = steps.findLastIndex((step) => !isReading(step));
  const all: Doom[] = [...dooms, { blow: "dies after", step: last + 1 }];
  return all.filter(({ step }) => isAsked(steps[step - 1] ?? ""));
}

/**
 * Reads leave no trace, and an open transaction is rolled back with its connection. So dying at any statement of a
 * transaction equals dying before its first statement or before its commit.
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

/** The steps outside the database. */
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
