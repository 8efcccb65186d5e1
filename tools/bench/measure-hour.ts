import type { Bench, Row } from "./report.ts";
import { addKnown, addLedger, settleTables } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { median, medianRatio } from "./statistics.ts";
import { lastFullHour, queueHour, untilNoJobs } from "./waiting.ts";

const LINKS = 1_000;
const ROWS = { small: 10_000, large: 1_000_000 };
/** The comparison takes its turns with these; then all links are reconciled once. */
const COMPARED = 200;
const ROUNDS = 4;
const MOST_RATIO = 1.2;
const MOST_SECONDS = 60;
const MOST_CALLS = 2;
const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

/** Hours in which nothing completed, over a small ledger and a large one; DocuSign answers at once. */
export async function measureHour(bench: Bench): Promise<Row[]> {
  const times = { small: new Array<number>(), large: new Array<number>() };
  await using small = await setQuietStage(bench, ROWS.small);
  await using large = await setQuietStage(bench, ROWS.large);
  for (let round = -1; round < ROUNDS; round += 1) {
    const seconds = { small: await runHour(small, COMPARED), large: await runHour(large, COMPARED) };
    // The first turn warms up code and connections.
    if (round >= 0) times.small.push(seconds.small);
    if (round >= 0) times.large.push(seconds.large);
  }
  await large.takeCalls();
  const seconds = await runHour(large, LINKS);
  const calls = (await large.takeCalls()).all / LINKS;
  return [compare(times), ...judgeAll({ seconds, calls })];
}

/** Each account shows an envelope of the last day, which is known. */
async function setQuietStage(bench: Bench, rows: number): Promise<Stage> {
  const stage = await setStage(bench, { role: "work", links: LINKS });
  const { db } = stage.database;
  const completedAt = new Date(lastFullHour().getTime() - TWO_HOURS_MS);
  const known: string[] = [];
  for (const { user } of stage.links) {
    const wish = { accountId: user.accountId, count: 1, completedAt };
    known.push(...(await stage.docusign.ask<string[]>("conclude", wish)));
  }
  await addKnown(db, stage.links, known, completedAt);
  await addLedger(db, stage.links, rows - LINKS);
  await settleTables(db);
  return stage;
}

/** Reconciles the first links, all due at once; returns the seconds that took. */
async function runHour(stage: Stage, links: number): Promise<number> {
  const hour = lastFullHour();
  await queueHour(stage, stage.links.slice(0, links), hour);
  const begin = performance.now();
  await untilNoJobs(stage, "reconcile-links", "reconcile-link");
  return (performance.now() - begin) / 1000;
}

function compare(times: { small: readonly number[]; large: readonly number[] }): Row {
  const ratio = medianRatio(times.large, times.small);
  const perLink = (seconds: readonly number[]): string =>
    `${((median(seconds) * 1000) / COMPARED).toFixed(1)} ms a link`;
  return {
    measured: `quiet hour, ${LINKS} links, ${ROWS.large.toLocaleString("en")} ledger rows`,
    here: perLink(times.large),
    against: `${ROWS.small.toLocaleString("en")} rows: ${perLink(times.small)}`,
    result: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${MOST_RATIO} ×`,
    met: ratio <= MOST_RATIO,
  };
}

function judgeAll({ seconds, calls }: { seconds: number; calls: number }): Row[] {
  return [
    {
      measured: `quiet hour of ${LINKS} links, DocuSign answering at once`,
      here: `${seconds.toFixed(1)} s`,
      against: "one worker process of 10 jobs",
      result: `${seconds.toFixed(1)} s`,
      goal: `≤ ${MOST_SECONDS} s`,
      met: seconds <= MOST_SECONDS,
    },
    {
      measured: "DocuSign calls of a quiet hour a link",
      here: calls.toFixed(2),
      against: "the sent and the received side",
      result: calls.toFixed(2),
      goal: `≤ ${MOST_CALLS}`,
      met: calls <= MOST_CALLS,
    },
  ];
}
