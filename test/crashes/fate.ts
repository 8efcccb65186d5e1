/** What befalls a process at one of its steps. */
export type Blow =
  /** It dies before the step is done. */
  | "dies before"
  /** The step is done, and it dies without learning of it. */
  | "dies after"
  /** The step is not done; it is told so, by a connection that breaks, and lives on. */
  | "is refused"
  /** The step is done; it learns of a broken connection only, and lives on. */
  | "gets no answer for";

export type Doom = { readonly blow: Blow; readonly step: number };

/** The steps of a process, its statements, foreign calls and writes, and what befalls it at one of them. */
export type Fate = {
  /** What it did, in its order; the last one is what it was struck at. */
  readonly steps: readonly string[];
  readonly isStruck: boolean;
  /** How far the next step gets: done and answered, done only, or not done. Nothing is done after a death. */
  meet(step: string): "done" | "unanswered" | "undone";
  /** Does a step as fate has it. */
  take<T>(step: string, act: () => Promise<T>): Promise<T>;
};

/** What a process is told of a step that fate met. */
export class Struck extends Error {
  override readonly name = "Struck";
}

/** Counts from 1; without doom nothing befalls it. */
export function createFate(doom: Doom | null): Fate {
  const steps: string[] = [];
  const state = { isStruck: false, isDead: false };
  const meet: Fate["meet"] = (step) => {
    if (state.isDead) return "undone";
    steps.push(step);
    if (doom === null || steps.length !== doom.step) return "done";
    state.isStruck = true;
    state.isDead = doom.blow.startsWith("dies");
    return doom.blow === "dies before" || doom.blow === "is refused" ? "undone" : "unanswered";
  };
  return {
    steps,
    get isStruck() {
      return state.isStruck;
    },
    meet,
    take: async (step, act) => {
      const met = meet(step);
      if (met === "undone") throw new Struck(`not done: ${step}`);
      const result = await act();
      if (met === "unanswered") throw new Struck(`not answered: ${step}`);
      return result;
    },
  };
}
