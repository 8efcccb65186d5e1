import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { CUSTOMER } from "../../support/linked-world.ts";
import { findPromtool, firstFirings } from "./promtool.ts";
import { createStage } from "./stage.ts";
import { STOPS } from "./stops.ts";

const RUNBOOK = await readFile(new URL("../../../docs/operations.md", import.meta.url), "utf8");
const PROMTOOL = await findPromtool();
const skip = PROMTOOL === null && "promtool is missing (Debian's package prometheus)";
/** The rows of the runbook's table "Ways in which imports stop". */
const ROWS = Array.from(
  RUNBOOK.matchAll(/^\| ([^|]+) \| \[(Torikomi\w+)\]\(#\w+\) \| (\d+) min \|$/gm),
  ([, cause = "", alert = "", minutes]) => ({ cause, alert, minutes: Number(minutes) }),
);

test("every way in which imports stop is tested", () => {
  assert.deepEqual(ROWS.map(({ cause }) => cause).sort(), STOPS.flatMap(({ causes }) => causes).sort());
  assert.ok(ROWS.length > 20);
});

for (const { causes, options, play } of STOPS) {
  test(`if ${causes.join(", or ")}, the alert fires as soon as the runbook says`, { skip }, async () => {
    const rows = ROWS.filter(({ cause }) => causes.includes(cause));
    await using stage = await createStage(options);

    await play(stage);

    const firings = await firstFirings(PROMTOOL ?? "", stage.timeline, {
      alerts: rows.map(({ alert }) => alert),
      lastMinute: Math.max(...rows.map(({ minutes }) => minutes)) + 5,
    });
    assert.deepEqual(
      rows.map((row) => ({ ...row, minutes: firings.get(row.alert) })),
      rows,
    );
  });
}

test("a service that works fires no alert", { skip }, async () => {
  await using stage = await createStage();
  const { world, colleague, timeline } = stage;
  await stage.at(0);
  timeline.show(0, "work", 'torikomi_role{role="work"} 1');
  for (const minute of [1, 30, 60, 90, 120, 150]) {
    await stage.at(minute, async () => {
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
      if (minute % 60 === 30) await world.runHour();
      await world.runJobs();
      assert.equal((await (await world.api()).get("/v1/changes")).status, 200);
    });
  }

  const alerts = new Set(ROWS.map(({ alert }) => alert));
  const firings = await firstFirings(PROMTOOL ?? "", timeline, { alerts: [...alerts], lastMinute: 200 });

  assert.deepEqual(new Set(firings.values()), new Set([null]));
});
