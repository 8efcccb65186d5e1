import assert from "node:assert/strict";

const GROWTH = 16;
/** Quadratic work would take 256 times as long. */
const MOST_TIMES = 4 * GROWTH;

/**
 * Fails unless the processor time of the work grows about as its size does. `prepare` returns the work for a size, which
 * is `large` and a sixteenth of it. Only the ratio counts, since machines differ.
 */
export function assertLinear(large: number, prepare: (size: number) => () => void): void {
  const [few, all] = [large / GROWTH, large].map((size) => shortestCpuMs(prepare(size)));
  assert.ok(few !== undefined && all !== undefined && all <= few * MOST_TIMES, `${few} and ${all} ms`);
}

/** The least processor time of five runs in milliseconds: other processes and the compiler of this one do not count. */
function shortestCpuMs(work: () => void): number {
  const times = [1, 2, 3, 4, 5].map(() => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}
