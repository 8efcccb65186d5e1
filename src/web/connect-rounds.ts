/** Parts of large bodies that are read in one round of the event loop: 64 KiB each. */
const PARTS_PER_ROUND = 2;

export type Rounds = {
  /** Calls back in one of the next rounds of the event loop, in the order of the calls. */
  wait(goOn: () => void): void;
};

/**
 * Lets large bodies take turns. Without it, each round of the event loop would read a part of each of them, and small
 * messages would wait for hundreds of parts.
 */
export function createRounds(): Rounds {
  const waiting: (() => void)[] = [];
  let isRunning = false;
  const run = (): void => {
    for (const goOn of waiting.splice(0, PARTS_PER_ROUND)) goOn();
    isRunning = waiting.length > 0;
    if (isRunning) setImmediate(run);
  };
  return {
    wait(goOn) {
      waiting.push(goOn);
      if (isRunning) return;
      isRunning = true;
      setImmediate(run);
    },
  };
}
