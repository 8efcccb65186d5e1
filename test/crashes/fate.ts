/** How a process fails at one of its steps. */
export type Blow =
  /** The process dies before the step. */
  | "dies before"
  /** The step is done, and the process dies before it gets the answer. */
  | "dies after"
  /** The connection breaks before the step; the process lives on. */
  | "is refused"
  /** The connection breaks after the step; the process lives on. */
  | "gets no answer for";

export type Doom = { readonly blow: Blow; readonly step: number };

/** The steps of a process (statements, foreign calls and writes) and the failure at one of them. */
export type Fate = {
  /** The steps in order; the last one failed. */
  readonly steps: readonly string[];
  readonly isStruck: boolean;
  /** How far the next step gets: done and answered, done only, or not done. Nothing is done after a death. */
  meet(step: string): "done" | "unanswered" | "undone";
  /** Runs a step, which may fail. */
  take<T>(step: string, act: () => Promise<T>): Promise<T>;
};

/** The error of a failed step. */
export class Struck extends Error {
  override readonly name = "Struck";
}

/** Steps count from 1; without a doom no step fails. */
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
