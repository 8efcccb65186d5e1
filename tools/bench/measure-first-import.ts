import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { enqueueReconciliation } from "../../src/store/queue/queue.ts";
import type { Bench, Row } from "./report.ts";
import { restartFirstImport, type SeededLink } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { percentile } from "./statistics.ts";
import { lastFullHour, until } from "./waiting.ts";

const ENVELOPES = 10_000;
const OTHER_TENANTS = 20;
const EVERY_MS = 250;
const MOST_MS = 2_000;
/** A call for each document, and the listing's share. */
const MOST_CALLS = 1.01;

/** The first import of a large account while events of other tenants come in; DocuSign answers at once. */
export async function measureFirstImport(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "all", links: 1 + OTHER_TENANTS });
  const [large, ...others] = stage.links;
  if (large === undefined) throw new Error("no link");
  const completedAt = new Date(lastFullHour().getTime() - 60_000);
  await stage.docusign.ask("conclude", { accountId: large.user.accountId, count: ENVELOPES, completedAt });
  await restartFirstImport(stage.database.db, large);
  await stage.takeCalls();

  const begin = performance.now();
  await enqueueReconciliation(stage.database.db, {
    linkId: large.id,
    hour: lastFullHour(),
    runAt: null,
    first: true,
  });
  const events = tellEvents(stage, others);
  await until(async () => (await countContracts(stage, large)) >= ENVELOPES, 50);
  const seconds = (performance.now() - begin) / 1000;
  const waits = await events.end();
  const calls = (await stage.takeCalls()).all - waits.length * 2;
  return rowsOf({ seconds, calls: calls / ENVELOPES, waits });
}

async function countContracts({ database }: Stage, link: SeededLink): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from contract where tenant = ${link.tenant}`.execute(database.db);
  return rows[0]?.count ?? 0;
}

/** An event now and then, each of another tenant; gives how long each contract took. */
function tellEvents(stage: Stage, links: readonly SeededLink[]): { end(): Promise<number[]> } {
  const waits: Promise<number>[] = [];
  let over = false;
  const telling = (async () => {
    for (let turn = 0; !over; turn += 1) {
      const link = links[turn % links.length];
      if (link !== undefined) waits.push(timeOne(stage, link));
      await sleep(EVERY_MS);
    }
  })();
  return {
    async end() {
      over = true;
      await telling;
      return await Promise.all(waits);
    },
  };
}

async function timeOne(stage: Stage, link: SeededLink): Promise<number> {
  const wish = { accountId: link.user.accountId, count: 1 };
  const [id = ""] = await stage.docusign.ask<string[]>("conclude", wish);
  const begin = performance.now();
  await stage.tell(link, id);
  await until(async () => {
    const { rows } = await sql`
      select from contract where tenant = ${link.tenant} and envelope_id = ${id}`.execute(stage.database.db);
    return rows.length > 0;
  }, 10);
  return performance.now() - begin;
}

function rowsOf(found: { seconds: number; calls: number; waits: readonly number[] }): Row[] {
  const { seconds, calls, waits } = found;
  const slow = percentile(waits, 0.95);
  const what = `first import of ${ENVELOPES.toLocaleString("en")} envelopes`;
  return [
    {
      measured: `${what}: DocuSign calls an envelope`,
      here: calls.toFixed(3),
      against: `one worker process of 10 jobs: ${Math.round(ENVELOPES / seconds)} envelopes/s`,
      result: calls.toFixed(3),
      goal: `≤ ${MOST_CALLS}`,
      met: calls <= MOST_CALLS,
    },
    {
      measured: `${what}: events of other tenants meanwhile, event to contract, 95th percentile`,
      here: `${Math.round(slow)} ms`,
      against: `${waits.length} events; slowest ${Math.round(Math.max(...waits))} ms`,
      result: `${Math.round(slow)} ms`,
      goal: `< ${MOST_MS} ms`,
      met: slow < MOST_MS,
    },
  ];
}
