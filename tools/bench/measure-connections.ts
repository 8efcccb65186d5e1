import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";
import { startChild } from "./child.ts";
import { importMany } from "./measure-imports.ts";
import { startProgram } from "./program.ts";
import type { Bench, Row } from "./report.ts";
import { addContracts, settleTables } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";

const LINKS = 10;
const CONCURRENCY = 10;
const ENVELOPES = 1_000;
const CONTRACTS = 20_000;
const READERS = 64;
const EVERY_MS = 25;
/** docs/operations.md, "Scaling": a `serve` and a `work` process. */
const MOST = 18 + 9 + CONCURRENCY;

/** The connections of a `serve` and a `work` process while events, imports and readers come at once. */
export async function measureConnections(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "serve", links: LINKS });
  await using _worker = await startProgram({
    ...stage.wish,
    role: "work",
    environment: { WORKER_CONCURRENCY: String(CONCURRENCY) },
  });
  await using senders = await startChild("./senders.ts");
  const [link] = stage.links;
  if (link !== undefined) await addContracts(stage.database.db, link, CONTRACTS);
  await settleTables(stage.database.db);
  const over = new AbortController();
  const watching = watchConnections(stage.database.db, over.signal);
  const reading = Array.from(
    { length: READERS },
    async (_, reader) => await read(stage, reader, over.signal),
  );
  const rate = await importMany(stage, senders, ENVELOPES);
  over.abort();
  const requests = (await Promise.all(reading)).reduce((sum, one) => sum + one, 0);
  return [describe(await watching, { rate, requests })];
}

/** Reads pages until the end; returns how many. */
async function read({ get, links }: Stage, reader: number, end: AbortSignal): Promise<number> {
  const [link] = links;
  let pages = 0;
  for (; link !== undefined && !end.aborted; pages += 1)
    await get(link, "/v1/contracts?limit=100", `reader-${reader}`);
  return pages;
}

/** The largest numbers that were seen. */
type Peaks = { open: number; active: number; readonly pools: Map<string, number> };

async function watchConnections(db: Database, end: AbortSignal): Promise<Peaks> {
  const peaks: Peaks = { open: 0, active: 0, pools: new Map() };
  while (!end.aborted) {
    const { rows } = await sql<{ pool: string; open: number; active: number }>`
      select substr(application_name, 10) as pool, count(*)::int as open,
        (count(*) filter (where state <> 'idle'))::int as active
      from pg_stat_activity where datname = current_database() and application_name like 'torikomi %'
      group by 1 order by 1`.execute(db);
    const sum = (read: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((total, row) => total + read(row), 0);
    peaks.open = Math.max(
      peaks.open,
      sum(({ open }) => open),
    );
    peaks.active = Math.max(
      peaks.active,
      sum(({ active }) => active),
    );
    for (const { pool, open } of rows) peaks.pools.set(pool, Math.max(peaks.pools.get(pool) ?? 0, open));
    await sleep(EVERY_MS);
  }
  return peaks;
}

function describe({ open, active, pools }: Peaks, load: { rate: number; requests: number }): Row {
  const shares = [...pools].map(([pool, count]) => `${pool} ${count}`).join(", ");
  return {
    measured: "connections of a `serve` and a `work` process of 10 jobs under full load",
    here: `${open}, of which ${active} at work at once: ${shares}`,
    against: `${load.rate.toFixed(0)} imports/s, ${load.requests} pages for ${READERS} readers meanwhile`,
    result: String(open),
    goal: `≤ ${MOST}`,
    met: open <= MOST,
  };
}
