import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createGate } from "../../../src/web/api/feed/gate.ts";

test("a few callers pass in each turn of the event loop, in the order of their arrival", async () => {
  const pass = createGate(2);
  const passed: number[] = [];
  const callers = [1, 2, 3, 4, 5].map(async (name) => await pass().then(() => passed.push(name)));
  const turns: number[][] = [];

  for (let turn = 0; turn < 3; turn += 1) {
    await nextTurn();
    turns.push([...passed]);
  }
  await Promise.all(callers);
  await pass();

  assert.deepEqual(turns, [
    [1, 2],
    [1, 2, 3, 4],
    [1, 2, 3, 4, 5],
  ]);
});
