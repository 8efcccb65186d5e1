import assert from "node:assert/strict";
import { test } from "node:test";
import { type Companies, CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { concludeQuietly, entriesOf } from "../support/reconciling.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import { strikeHour } from "../support/strike-hour.ts";
import type { World } from "../support/world.ts";
import { foreignSteps, strikeEverywhere } from "./everywhere.ts";
import { tellOutcome } from "./outcome.ts";
import { workOn } from "./worker.ts";

test("a reconciliation that fails at any step is completed by the next worker with the same result and counts", async () => {
  await using linked = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world } = linked;
  concludeSome(linked);
  world.clock.now = new Date("2031-01-15T04:00:00Z");
  await strikeHour(world.service.foundation.working.db, world.clock.now);

  const { outcome, steps } = await strikeEverywhere(world, {
    act: async (process) =>
      await workOn(world, process, ["reconcile-all", "reconcile-links", "reconcile-link"]),
    recover: async () => await settleUntilNextHour(world),
    tell: async () => ({ ...(await tellOutcome(world)), entry: await tellEntry(world) }),
  });

  assert.equal(outcome.contracts.length, 3);
  assert.equal(outcome.entry.state, "done");
  assert.deepEqual(outcome.leftOver, []);
  assert.deepEqual(foreignSteps(steps), [
    "GET /envelopes",
    "GET /envelopes",
    "GET /users/{userId}",
    "GET /connect",
    "GET /connect",
  ]);
});

/** An envelope that the account sent, with two documents; one that the user received; one that a rule excludes. */
function concludeSome({ world, admin, colleague, partner }: Companies): void {
  const completedAt = world.clock.now;
  const two = [{ name: "契約書.pdf" }, { name: "別紙.pdf" }];
  concludeQuietly(world, 1, () => ({ from: admin, to: [CUSTOMER], documents: two, completedAt }));
  concludeQuietly(world, 1, () => ({ from: colleague, to: [admin], purged: true, completedAt }));
  concludeQuietly(world, 1, () => ({ from: partner, to: [admin], completedAt }));
}

/** The first run of the hour. A later run, as after an unanswered commit, finds every envelope known. */
async function tellEntry(world: World): Promise<any> {
  const hourly = (await entriesOf(world)).filter(({ kind }) => kind === "hourly");
  const [{ from, to, state, listed, known, missed, excluded }, ...again] = hourly.sort((one, other) =>
    one.from.localeCompare(other.from),
  );
  for (const entry of again) assert.equal(entry.missed, 0);
  return { from, to, state, listed, known, missed, excluded };
}
