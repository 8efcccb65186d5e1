/** The database spends at most a tenth of its time on answers that strangers may ask for. */
const REST_FACTOR = 10;

/**
 * Shares each result, or error, with all who ask while it is read. A result is shared for ten times as long afterwards,
 * at most for `longestRestMs`.
 */
export function shared<T>(
  read: () => Promise<T>,
  longestRestMs = Number.POSITIVE_INFINITY,
): () => Promise<T> {
  let answer: Promise<T> | null = null;
  let goodUntil = 0;
  const readOnce = async (): Promise<T> => {
    const startedAt = performance.now();
    try {
      const result = await read();
      const endedAt = performance.now();
      goodUntil = endedAt + Math.min((endedAt - startedAt) * REST_FACTOR, longestRestMs);
      return result;
    } catch (error) {
      goodUntil = 0;
      throw error;
    }
  };
  return async () => {
    if (answer === null || performance.now() >= goodUntil) {
      goodUntil = Number.POSITIVE_INFINITY;
      answer = readOnce();
    }
    return await answer;
  };
}
