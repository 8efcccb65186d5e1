import { describeUse, measureUse, perUnit, startFloor, totalOf, type Used } from "./floor-stage.ts";
import { addQuietEnvelopes, runHour } from "./quiet.ts";
import type { Bench, Row } from "./report.ts";
import { settleTables } from "./seed.ts";
import { setStage } from "./stage.ts";
import { countStatements, reportStatements } from "./statements.ts";
import { medianRatio } from "./statistics.ts";
import { lastFullHour } from "./waiting.ts";

const LINKS = 500;
const ROUNDS = 4;
const MOST_RATIO = 3;
const HOUR_MS = 60 * 60 * 1000;

/** The processor time of a link's hour in which nothing completed, beside that of the floor. */
export async function measureFloorHour(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "work", links: LINKS });
  await addQuietEnvelopes(stage);
  await settleTables(stage.database.db);
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
    reportStatements("statements of a quiet hour of a link", { statements, units: LINKS, floor: 1 }),
  ];
}
