import type { Readable } from "node:stream";
import { spec as Spec, type TestEvent } from "node:test/reporters";
import type { Durations } from "./durations.ts";

const SLOWEST = 10;

/**
 * Formats the output of `npm test`: failures and skipped tests as node's own `spec` reports them, the slowest files, and
 * `N passed, N failed` as the last line.
 */
export async function* reportSummary(
  events: AsyncIterable<TestEvent>,
  durations: Durations,
): AsyncGenerator<string, void, undefined> {
  const spec = new Spec();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const event of events) {
    spec.write(event);
    const text = read(spec);
    if (event.type !== "test:pass" || event.data.skip !== undefined) yield text;
    if (isFaultOfFile(event)) counts.failed += 1;
    // Each batch has its summary; that of the whole run names no file.
    if (event.type === "test:summary" && event.data.file === undefined) {
      const { passed, tests, skipped, todo } = event.data.counts;
      counts.passed = passed;
      counts.skipped = skipped;
      counts.failed += tests - passed - skipped - todo;
    }
  }
  spec.end();
  yield read(spec);
  yield listSlowest(durations);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  yield `${counts.passed} passed, ${counts.failed} failed${skipped}\n`;
}

/** True if a file failed on its own, as when it cannot be loaded; node does not count that among failed tests. */
function isFaultOfFile({ type, data }: TestEvent): boolean {
  if (type !== "test:fail" || data.details.type !== "suite") return false;
  const { error } = data.details;
  return !("failureType" in error && error.failureType === "subtestsFailed");
}

function listSlowest(durations: Durations): string {
  const slowest = [...durations].sort(([, one], [, other]) => other - one).slice(0, SLOWEST);
  const lines = slowest.map(([path, ms]) => `${(ms / 1_000).toFixed(1).padStart(7)} s  ${path}\n`);
  return `Slowest files:\n${lines.join("")}`;
}

function read(spec: Readable): string {
  const text: unknown = spec.read();
  return text === null ? "" : String(text);
}
