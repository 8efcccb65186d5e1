import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "../../../src/web/api/feed/turns.ts";

test("groups take turns, however many of one group wait", async () => {
  const turns = createTurns(1);
  const order: string[] = [];
  const ask = async (group: string, name: string): Promise<void> =>
    await turns(group, async () => void order.push(name));

  await Promise.all([
    ...["a1", "a2", "a3", "a4"].map(async (name) => await ask("a", name)),
    ...["b1", "b2"].map(async (name) => await ask("b", name)),
    ask("c", "c1"),
  ]);

  assert.deepEqual(order, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
});

test("no more pieces of work run at once than allowed, and a failed one makes room for the next", async () => {
  const turns = createTurns(2);
  let running = 0;
  let most = 0;
  const work = async (index: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    if (index % 3 === 0) throw new Error("failed");
    return index;
  };

  const results = await Promise.allSettled(
    Array.from(
      { length: 9 },
      async (_, index) => await turns(`group ${index % 4}`, async () => await work(index)),
    ),
  );

  assert.equal(most, 2);
  assert.equal(results.filter(({ status }) => status === "rejected").length, 3);
  assert.equal(await turns("later", async () => 7), 7);
});
