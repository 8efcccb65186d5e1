import { sql } from "kysely";
import { encodeCursor } from "../../src/web/api/cursor.ts";
import type { Bench, Row } from "./report.ts";
import { addContracts, settleTables } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { median } from "./statistics.ts";

const ROWS = { small: 10_000, large: 1_000_000 };
const WARM_UP = 20;
const ROUNDS = 100;
const MOST = 1.5;

/** The page begins after so many of a hundred contracts. */
const FAR_DOWN = 80;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A year and a half ago, as long as it takes for some 500 contracts of each. */
const LONG_AGO = new Date(Date.now() - 550 * DAY_MS);
const PERIOD_DAYS = { small: 100, large: 1 };

/** Pages of contracts of a tenant with many, and of one with few. */
export async function measureContracts(bench: Bench): Promise<Row[]> {
  await using small = await setFullStage(bench, ROWS.small);
  await using large = await setFullStage(bench, ROWS.large);
  const stages = { small, large };
  const same = (query: string): Pair<string> => ({ small: query, large: query });
  const farDown = { small: await cursorFarDown(small), large: await cursorFarDown(large) };
  const period = { small: periodOf(PERIOD_DAYS.small), large: periodOf(PERIOD_DAYS.large) };
  return [
    await comparePage(stages, "first page of 100 contracts", same("")),
    await comparePage(stages, "page of 100 contracts of a group", same("&group=group-3")),
    await comparePage(stages, "page of 100 contracts far down", farDown),
    await comparePage(stages, "page of 100 contracts of a period of 500", period),
  ];
}

async function setFullStage(bench: Bench, contracts: number): Promise<Stage> {
  const stage = await setStage(bench, { role: "serve", links: 1 });
  const [link] = stage.links;
  if (link !== undefined) await addContracts(stage.database.db, link, contracts);
  await settleTables(stage.database.db);
  return stage;
}

async function cursorFarDown({ database, links }: Stage): Promise<string> {
  const { tenant = "" } = links[0] ?? {};
  const { rows } = await sql<{ id: string; imported_at: Date }>`
    select id, imported_at from contract where tenant = ${tenant} and deleted_at is null
    order by imported_at desc, id desc
    offset (select count(*) * ${FAR_DOWN} / 100 from contract) limit 1`.execute(database.db);
  const [row] = rows;
  if (row === undefined) throw new Error("no contracts");
  return `&cursor=${encodeCursor([row.imported_at.toISOString(), row.id])}`;
}

function periodOf(days: number): string {
  const [from, to] = [LONG_AGO, new Date(LONG_AGO.getTime() + (days - 1) * DAY_MS)];
  return `&concludedFrom=${from.toISOString().slice(0, 10)}&concludedTo=${to.toISOString().slice(0, 10)}`;
}

type Pair<Thing> = { readonly small: Thing; readonly large: Thing };

async function comparePage(stages: Pair<Stage>, what: string, queries: Pair<string>): Promise<Row> {
  const times = { small: new Array<number>(), large: new Array<number>() };
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const size of ["small", "large"] as const) {
      const ms = await timePage(stages[size], queries[size], what);
      if (round >= 0) times[size].push(ms);
    }
  }
  const ratio = median(times.large) / median(times.small);
  return {
    measured: `${what}, of ${ROWS.large.toLocaleString("en")}`,
    here: `${median(times.large).toFixed(1)} ms`,
    against: `of ${ROWS.small.toLocaleString("en")}: ${median(times.small).toFixed(1)} ms`,
    result: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${MOST} ×`,
    met: ratio <= MOST,
  };
}

/** Each kind of page is another reader's, since one may ask only so often. */
async function timePage(stage: Stage, query: string, reader: string): Promise<number> {
  const [link] = stage.links;
  if (link === undefined) throw new Error("no link");
  const begin = performance.now();
  const { items } = await stage.get(link, `/v1/contracts?limit=100${query}`, reader);
  const ms = performance.now() - begin;
  if (items.length !== 100) throw new Error(`a page of ${items.length}`);
  return ms;
}
