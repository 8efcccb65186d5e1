import { enqueueReconciliation } from "../../src/store/queue/queue.ts";
import { describeUse, floorLink, measureUse, startFloor, totalOf } from "./floor-stage.ts";
import type { Bench, Row } from "./report.ts";
import { restartFirstImport, type SeededLink } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { countStatements, describeStatements, totalCalls } from "./statements.ts";
import { medianRatio } from "./statistics.ts";
import { lastFullHour, untilContracts } from "./waiting.ts";

const ENVELOPES = 1_000;
const ROUNDS = 3;
const MOST_RATIO = 2.5;

/** The processor time of an envelope of a first import, beside that of the floor, which imports the same ones. */
export async function measureFloorImport(bench: Bench): Promise<Row[]> {
  // One link for each round, one to warm up and one whose statements are counted.
  await using stage = await setStage(bench, { role: "work", links: ROUNDS + 2 });
  await using floor = await startFloor(bench, stage);
  const measured: { ours: ReturnType<typeof each>; floors: ReturnType<typeof each> }[] = [];
  const each = (used: Awaited<ReturnType<typeof measureUse>>) => ({
    programMs: used.programMs / ENVELOPES,
    postgresMs: used.postgresMs / ENVELOPES,
  });
  const [last, ...links] = stage.links;
  if (last === undefined) throw new Error("no link");
  for (const [round, link] of links.entries()) {
    const ids = await conclude(stage, link);
    const ours = await measureUse(bench, stage.program.pid, async () => await importAll(stage, link));
    const wishes = ids.map((envelopeId) => ({ link: floorLink(link), envelopeId, documents: DOCUMENTS }));
    const floors = await measureUse(
      bench,
      floor.program.pid,
      async () => await floor.program.ask("importAll", wishes),
    );
    // The first turn warms up code and connections.
    if (round > 0) measured.push({ ours: each(ours), floors: each(floors) });
  }
  await conclude(stage, last);
  const statements = await countStatements(stage.database, async () => await importAll(stage, last));
  process.stdout.write(`${describeStatements(statements, ENVELOPES)}\n`);
  const ratio = medianRatio(
    measured.map(({ ours }) => totalOf(ours)),
    measured.map(({ floors }) => totalOf(floors)),
  );
  const middle = measured[Math.floor(ROUNDS / 2)];
  if (middle === undefined) throw new Error("nothing was measured");
  return [
    {
      measured: "imported envelope of a first import: processor time of worker and PostgreSQL",
      here: describeUse(middle.ours),
      against: `the floor: ${describeUse(middle.floors)}`,
      result: `${ratio.toFixed(2)} ×`,
      goal: `≤ ${MOST_RATIO} ×`,
      met: ratio <= MOST_RATIO,
    },
    {
      measured: "statements of an imported envelope of a first import",
      here: (totalCalls(statements) / ENVELOPES).toFixed(2),
      against: "the floor: 2",
      result: (totalCalls(statements) / ENVELOPES).toFixed(2),
      goal: "–",
      met: true,
    },
  ];
}

const DOCUMENTS = [{ documentId: "1", name: "業務委託契約書.pdf" }];

async function conclude({ docusign }: Stage, { user }: SeededLink): Promise<string[]> {
  const completedAt = new Date(lastFullHour().getTime() - 60_000);
  return await docusign.ask("conclude", { accountId: user.accountId, count: ENVELOPES, completedAt });
}

async function importAll(stage: Stage, link: SeededLink): Promise<void> {
  const before = await stage.countContracts();
  await restartFirstImport(stage.database.db, link);
  const job = { linkId: link.id, hour: lastFullHour(), runAt: null, first: true };
  await enqueueReconciliation(stage.database.db, job);
  await untilContracts(stage, before + ENVELOPES);
}
