import assert from "node:assert/strict";
import { test } from "node:test";
import { createRepeatedReads } from "../../src/web/api/feed/repeated-reads.ts";

test("reads count as repeated from the fifth time at one position on, for each client by itself", () => {
  const repeats = { one: 0, other: 0 };
  const counted: number[] = [];
  let current: keyof typeof repeats = "one";
  const reads = createRepeatedReads({ feedReadRepeated: () => (repeats[current] += 1) });
  const read = (client: keyof typeof repeats, after: number): void => {
    current = client;
    reads.note(client, after);
    counted.push(repeats[client]);
  };

  for (const after of [7, 7, 7, 7, 7, 7, 8, 7]) read("one", after);
  assert.deepEqual(counted.splice(0), [0, 0, 0, 0, 1, 2, 2, 2]);
  for (let after = 0; after < 10; after += 1) read("other", after);

  assert.deepEqual(repeats, { one: 2, other: 0 });
});

test("a client is forgotten when a thousand others have read since", () => {
  let repeats = 0;
  const reads = createRepeatedReads({ feedReadRepeated: () => (repeats += 1) });
  for (let time = 0; time < 4; time += 1) reads.note("one", 7);
  for (let other = 0; other < 1_000; other += 1) reads.note(`other ${other}`, 7);

  reads.note("one", 7);

  assert.equal(repeats, 0);
});
