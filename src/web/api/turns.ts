/** Runs a piece of work once its turn has come. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** At most so many at once, the others one after the other in the order they came. */
export function createTurns(most: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < most) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whose turn is next takes this place over.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
