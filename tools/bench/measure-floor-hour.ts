import { describeUse, measureUse, perUnit, startFloor, totalOf, type Used } from "./floor-stage.ts";
import type { Bench, Row } from "./report.ts";
import { addKnown, settleTables } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { countStatements, describeStatements, totalCalls } from "./statements.ts";
import { medianRatio } from "./statistics.ts";
import { lastFullHour, queueHour, untilNoJobs } from "./waiting.ts";

const LINKS = 500;
const ROUNDS = 4;
const MOST_RATIO = 3;
const HOUR_MS = 60 * 60 * 1000;

/** The processor time of a link's hour in which nothing completed, beside that of the floor. */
export async function measureFloorHour(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "work", links: LINKS });
  await addQuietEnvelopes(stage);
  await using floor = await startFloor(bench, stage);
  const to = lastFullHour();
  const window = { from: new Date(to.getTime() - 25 * HOUR_MS).toISOString(), to: to.toISOString() };
  const ours: Used[] = [];
  const floors: Used[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const here = await measureUse(bench, stage.program.pid, async () => await runHour(stage));
    const there = await measureUse(
      bench,
      floor.program.pid,
      async () => await floor.program.ask("quietHours", { ...window, count: LINKS }),
    );
    // The first turn warms up code and connections.
    if (round >= 0) ours.push(here);
    if (round >= 0) floors.push(there);
  }
  const statements = await countStatements(stage.database, async () => await runHour(stage));
  process.stdout.write(`${describeStatements(statements, LINKS)}\n`);
  const ratio = medianRatio(ours.map(totalOf), floors.map(totalOf));
  return [
    {
      measured: "quiet hour of a link: processor time of worker and PostgreSQL",
      here: describeUse(perUnit(ours, LINKS * ROUNDS)),
      against: `the floor: ${describeUse(perUnit(floors, LINKS * ROUNDS))}`,
      result: `${ratio.toFixed(2)} ×`,
      goal: `≤ ${MOST_RATIO} ×`,
      met: ratio <= MOST_RATIO,
    },
    {
      measured: "statements of a quiet hour of a link",
      here: (totalCalls(statements) / LINKS).toFixed(2),
      against: "the floor: 1",
      result: (totalCalls(statements) / LINKS).toFixed(2),
      goal: "–",
      met: true,
    },
  ];
}

/** Each account shows an envelope of the last day, which is known. */
async function addQuietEnvelopes(stage: Stage): Promise<void> {
  const completedAt = new Date(lastFullHour().getTime() - 2 * HOUR_MS);
  const known: string[] = [];
  for (const { user } of stage.links) {
    const wish = { accountId: user.accountId, count: 1, completedAt };
    known.push(...(await stage.docusign.ask<string[]>("conclude", wish)));
  }
  await addKnown(stage.database.db, stage.links, known, completedAt);
  await settleTables(stage.database.db);
}

async function runHour(stage: Stage): Promise<void> {
  const hour = lastFullHour();
  await queueHour(stage, stage.links, hour);
  await untilNoJobs(stage, "reconcile-links", "reconcile-link");
}
