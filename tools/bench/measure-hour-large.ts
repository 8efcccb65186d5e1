import { sql } from "kysely";
import { readProcessorSeconds } from "./processors.ts";
import { type Program, startProgram } from "./program.ts";
import type { Bench, Row } from "./report.ts";
import { addKnown, settleTables } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { lastFullHour, queueHour, until } from "./waiting.ts";

const LINKS = 5_000;
const MEANT = 50_000;
const WORKERS = 4;
const CONCURRENCY = 10;
const LATENCY_MS = 200;
/** Access tokens live for eight hours, and the full check comes once a day. */
const REFRESHED = LINKS / 8;
const CHECKED = Math.round(LINKS / 24);
const MOST_MINUTES = 15;
const MINUTE_S = 60;
const HOUR_MS = 60 * 60 * 1000;

/** A quiet hour of many links, with the refreshes and daily checks that fall into an hour; DocuSign takes its time. */
export async function measureLargeHour(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "serve", links: LINKS, latencyMs: LATENCY_MS });
  await fillStage(stage);
  await using workers = new AsyncDisposableStack();
  const wish = {
    ...stage.wish,
    role: "work",
    environment: { WORKER_CONCURRENCY: String(CONCURRENCY) },
  } as const;
  const programs = await Promise.all(
    Array.from({ length: WORKERS }, async (): Promise<Program> => workers.use(await startProgram(wish))),
  );
  const readUsed = async (): Promise<{ workers: number; postgres: number }> => ({
    workers: await readProcessorSeconds(programs.map(({ pid }) => pid)),
    postgres: await readProcessorSeconds([bench.postmaster]),
  });
  await stage.takeCalls();
  const before = await readUsed();
  const begin = performance.now();
  await reconcile(stage);
  const seconds = (performance.now() - begin) / 1000;
  const after = await readUsed();
  const { all: calls } = await stage.takeCalls();
  const [used, postgres] = [after.workers - before.workers, after.postgres - before.postgres];
  return [describe({ seconds, calls, workers: used, postgres })];
}

/** Each account shows an envelope of the last day, which is known. */
async function fillStage({ database: { db }, docusign, links }: Stage): Promise<void> {
  const completedAt = new Date(lastFullHour().getTime() - 2 * HOUR_MS);
  const known: string[] = [];
  for (const { user } of links) {
    const wish = { accountId: user.accountId, count: 1, completedAt };
    known.push(...(await docusign.ask<string[]>("conclude", wish)));
  }
  await addKnown(db, links, known, completedAt);
  const ids = links.map(({ id }) => id);
  await sql`
    update link_token set access_expires_at = now() - interval '1 minute'
    where link_id = any(${ids.slice(0, REFRESHED)}::uuid[])`.execute(db);
  await sql`
    update link set fully_checked_at = now() - interval '25 hours'
    where id = any(${ids.slice(-CHECKED)}::uuid[])`.execute(db);
  await settleTables(db);
}

/** Ends when every link is accounted for up to the hour, and every daily check is done. */
async function reconcile(stage: Stage): Promise<void> {
  const {
    database: { db },
    links,
  } = stage;
  const hour = lastFullHour();
  await queueHour(stage, links, hour);
  await until(async () => {
    const { rows } = await sql`
      select from link where least(sent_reached, received_reached) < ${hour}
        or fully_checked_at < now() - interval '24 hours' limit 1`.execute(db);
    return rows.length === 0;
  }, 200);
}

type Found = {
  readonly seconds: number;
  readonly calls: number;
  readonly workers: number;
  readonly postgres: number;
};

/** DocuSign's simulator shares the processors, so the measured time is the longest of the three. */
function describe({ seconds, calls, workers, postgres }: Found): Row {
  const times = MEANT / LINKS;
  const minutes = (one: number): number => (one * times) / MINUTE_S;
  const waiting = (calls * LATENCY_MS) / 1000 / (WORKERS * CONCURRENCY);
  const result = Math.max(minutes(seconds), minutes(waiting), minutes((workers + postgres) / 2));
  return {
    measured: `quiet hour of ${MEANT.toLocaleString("en")} links with refreshes and daily checks, ${WORKERS} workers of ${CONCURRENCY}, DocuSign answering after ${LATENCY_MS} ms`,
    here: `${LINKS.toLocaleString("en")} links: ${seconds.toFixed(0)} s, ${(calls / LINKS).toFixed(2)} calls a link; processor time a link: workers ${((workers * 1000) / LINKS).toFixed(1)} ms, PostgreSQL ${((postgres * 1000) / LINKS).toFixed(1)} ms`,
    against: `times ${times}: measured ${minutes(seconds).toFixed(1)} min; calls in flight ${minutes(waiting).toFixed(1)} min; two processors ${minutes((workers + postgres) / 2).toFixed(1)} min`,
    result: `${result.toFixed(1)} min`,
    goal: `≤ ${MOST_MINUTES} min`,
    met: result <= MOST_MINUTES,
  };
}
