import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 100;

/** Asks until the answer is yes and returns the seconds that took; throws if it takes longer than `withinMs`. */
export async function until(
  isSo: () => Promise<boolean> | boolean,
  what: string,
  withinMs = 30_000,
): Promise<number> {
  const start = performance.now();
  while (!(await isSo())) {
    if (performance.now() - start > withinMs) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
    await pause(POLL_MS);
  }
  return (performance.now() - start) / 1000;
}
