/** Runs a piece of work when it is its group's turn. */
export type Turns = <T>(group: string, work: () => Promise<T>) => Promise<T>;

/** Runs at most `most` pieces of work at once. Groups that wait take turns, each in the order of arrival. */
export function createTurns(most: number): Turns {
  /** In the order of their turns. None is empty. */
  const groups = new Map<string, (() => void)[]>();
  let running = 0;
  const wait = async (group: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = groups.get(group) ?? [];
    queue.push(resolve);
    groups.set(group, queue);
    await promise;
  };
  const startNext = (): void => {
    const [turn] = groups;
    // The next in line takes over this slot, so `running` does not change.
    if (turn === undefined) running -= 1;
    else takeTurn(groups, ...turn);
  };
  return async (group, work) => {
    if (running < most) running += 1;
    else await wait(group);
    try {
      return await work();
    } finally {
      startNext();
    }
  };
}

/** Starts the group's first, and sends its others to the end of the line. */
function takeTurn(groups: Map<string, (() => void)[]>, group: string, queue: (() => void)[]): void {
  groups.delete(group);
  const start = queue.shift();
  if (queue.length > 0) groups.set(group, queue);
  start?.();
}
