import { readFileSync } from "node:fs";
import type { TestsStream } from "node:test";

/**
 * Kills a batch that takes longer than the limit, which fails the run, and names the test that it was at. The limit of
 * a single test comes first, unless the test blocks its process, or something keeps the process alive after its tests.
 */
export function limitBatches(events: TestsStream, limitMs: number, tell: (text: string) => void): void {
  const timers = new Map<string, NodeJS.Timeout>();
  events.on("test:dequeue", ({ name, nesting, ...event }) => {
    if (nesting > 0 || "entryFile" in event) return;
    const end = (): void => {
      const { pid, test } = readProgress(name);
      tell(`\nA batch took longer than ${limitMs / 1_000} s and was killed. It was at:\n  ${test}\n\n`);
      process.kill(pid, "SIGKILL");
    };
    timers.set(name, setTimeout(end, limitMs));
  });
  events.on("test:complete", ({ name, nesting, ...event }) => {
    if (nesting === 0 && !("entryFile" in event)) clearTimeout(timers.get(name));
  });
}

/** Code by which a batch reports its progress. It writes before each test, since a test may block its process. */
export const TELL_PROGRESS = `
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach } from "node:test";
const tell = (test) => writeFileSync(import.meta.filename + ".progress", process.pid + " " + test);
tell("no test: its files are being loaded");
beforeEach((context) => tell(context.fullName));
afterEach((context) => tell("no test, after " + context.fullName));
`;

function readProgress(batch: string): { pid: number; test: string } {
  const [pid, ...words] = readFileSync(`${batch}.progress`, "utf8").split(" ");
  return { pid: Number(pid), test: words.join(" ") };
}
