import type { Readable } from "node:stream";
import { spec as Spec, type TestEvent } from "node:test/reporters";

/**
 * Reporter of `npm test`: what went wrong as node's own `spec` tells it, nothing of what passed, and
 * `N passed, N failed` as last line.
 */
export default async function* reportSummary(
  events: AsyncIterable<TestEvent>,
): AsyncGenerator<string, void, undefined> {
  const spec = new Spec();
  const counts = { passed: 0, failed: 0 };
  for await (const event of events) {
    spec.write(event);
    const told = read(spec);
    if (event.type !== "test:pass") yield told;
    // Each file has its summary; that of the whole run names no file.
    if (event.type === "test:summary" && event.data.file === undefined) {
      counts.passed = event.data.counts.passed;
      counts.failed =
        event.data.counts.tests - counts.passed - event.data.counts.skipped - event.data.counts.todo;
    }
  }
  spec.end();
  yield read(spec);
  yield `${counts.passed} passed, ${counts.failed} failed\n`;
}

function read(spec: Readable): string {
  const told: unknown = spec.read();
  return told === null ? "" : String(told);
}
