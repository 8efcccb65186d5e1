/** How much a listing asks for at once. DocuSign may not be able to finish a large one in time. */
export type ListingPace = {
  /** 0 asks for the maximum. Each further step asks for less. */
  readonly step: number;
  /** Pages listed since the last change of the step. */
  readonly successes: number;
  /** Pages to list before the next step towards the maximum. */
  readonly needed: number;
  /** True if the last change asked for more. */
  readonly grown: boolean;
};

export const FULL_PACE: ListingPace = { step: 0, successes: 0, needed: 1, grown: false };

/** The count is halved from 1,000 to 31, then the recipients and documents are left out, then the window is halved. */
const LARGEST_COUNT = 1_000;
const COUNT_STEPS = 5;
const WINDOW_STEPS = 10;
const LAST_STEP = COUNT_STEPS + 1 + WINDOW_STEPS;
/** Shorter windows would cost more calls than they save. */
const SHORTEST_SPAN_MS = 60 * 60 * 1000;
const MOST_NEEDED = 32;

export type ListingSize = {
  readonly count: number;
  /** True if rows include recipients and documents. */
  readonly include: boolean;
  /** How much of the window one listing covers; null means all of it. */
  readonly spanMs: number | null;
};

export function sizeOf({ step }: ListingPace, windowMs: number): ListingSize {
  const halvings = step - COUNT_STEPS - 1;
  return {
    count: Math.floor(LARGEST_COUNT / 2 ** Math.min(step, COUNT_STEPS)),
    include: step <= COUNT_STEPS,
    spanMs: halvings > 0 ? Math.max(windowMs / 2 ** halvings, SHORTEST_SPAN_MS) : null,
  };
}

/** The pace after a listing that DocuSign did not finish. If it failed because it asked for more, the next try is later. */
export function slower({ step, needed, grown }: ListingPace): ListingPace {
  return {
    step: Math.min(step + 1, LAST_STEP),
    successes: 0,
    needed: grown ? Math.min(needed * 2, MOST_NEEDED) : needed,
    grown: false,
  };
}

/** The pace after a page that DocuSign listed. */
export function faster(pace: ListingPace): ListingPace {
  const successes = pace.successes + 1;
  if (successes < pace.needed) return { ...pace, successes };
  return pace.step === 0 ? FULL_PACE : { ...pace, step: pace.step - 1, successes: 0, grown: true };
}
