/** Lets at most `most` callers pass in one turn of the event loop, so that other requests come in between. */
export function createGate(most: number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const open = (): void => {
    for (const pass of waiting.splice(0, most)) pass();
    if (waiting.length > 0) setImmediate(open);
  };
  return async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (waiting.push(resolve) === 1) setImmediate(open);
    await promise;
  };
}
