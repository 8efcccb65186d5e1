import type pg from "pg";
import { openDatabase } from "../../src/store/database.ts";
import { startTestServer } from "../../test/support/postgres.ts";
import { measureAnswers } from "./measure-answers.ts";
import { measureCalls } from "./measure-calls.ts";
import { measureConnections } from "./measure-connections.ts";
import { measureContracts } from "./measure-contracts.ts";
import { measureEvents } from "./measure-events.ts";
import { measureFeed } from "./measure-feed.ts";
import { measureFirstImport } from "./measure-first-import.ts";
import { measureFloorHour } from "./measure-floor-hour.ts";
import { measureFloorImport } from "./measure-floor-import.ts";
import { measureFloorReadable } from "./measure-floor-readable.ts";
import { measureFlush } from "./measure-flush.ts";
import { measureHour } from "./measure-hour.ts";
import { measureLargeHour } from "./measure-hour-large.ts";
import { measureImports } from "./measure-imports.ts";
import { measureLone } from "./measure-lone.ts";
import { measureMemory } from "./measure-memory.ts";
import { measureReadable } from "./measure-readable.ts";
import { measureRows } from "./measure-rows.ts";
import { measureSearch } from "./measure-search.ts";
import { measureStart } from "./measure-start.ts";
import { measureTruncate } from "./measure-truncate.ts";
import { describeLoad, describeMachine, watchProcessors } from "./processors.ts";
import { type Bench, formatShare, formatTable, type Row, type Run, writeDocument } from "./report.ts";
import { trackStatements } from "./statements.ts";

/**
 * Measures what issue and goals name, each against something in the same run on the same PostgreSQL, which writes to
 * disk. `npm run bench` measures all and writes docs/benchmarks.md; `npm run bench -- events lone` measures these.
 */
const MEASUREMENTS: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  events: measureEvents,
  answers: measureAnswers,
  lone: measureLone,
  readable: measureReadable,
  feed: measureFeed,
  calls: measureCalls,
  imports: measureImports,
  flush: measureFlush,
  memory: measureMemory,
  hour: measureHour,
  contracts: measureContracts,
  "floor-hour": measureFloorHour,
  "floor-import": measureFloorImport,
  "floor-readable": measureFloorReadable,
  search: measureSearch,
  "first-import": measureFirstImport,
  start: measureStart,
  truncate: measureTruncate,
  connections: measureConnections,
  "hour-50000": measureLargeHour,
  rows: measureRows,
};

/** Measured only by name: the seeding takes minutes. */
const BY_NAME: ReadonlySet<string> = new Set(["rows"]);

/** From here on other programs bend the numbers. */
const BUSY = 0.05;

/** The settings that docs/operations.md recommends. */
const LIVED_IN = { shared_buffers: "1GB", min_wal_size: "1GB" };
const COUNTING = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track_planning": "on",
};
const LOG_FILES = 64;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => MEASUREMENTS[name] === undefined);
if (unknown.length > 0) {
  print(`There is no ${unknown.join(", ")}; there are ${Object.keys(MEASUREMENTS).join(", ")}.`);
  process.exitCode = 64;
} else {
  await run(asked.length === 0 ? Object.keys(MEASUREMENTS).filter((name) => !BY_NAME.has(name)) : asked);
}

async function run(names: readonly string[]): Promise<void> {
  print(`${describeMachine()}; ${describeLoad()}`);
  await using server = await startTestServer({ durable: true, settings: { ...LIVED_IN, ...COUNTING } });
  await using opened = new AsyncDisposableStack();
  const { pool, close } = openDatabase(server.adminUrl, { max: 1 });
  opened.defer(close);
  await makeLogFiles(pool);
  await trackStatements(pool, "none");
  const { version, postmaster } = await inspect(pool);
  const rows: Run["rows"][number][] = [];
  for (const name of names) {
    // Otherwise PostgreSQL would write the last measurement's data during the next one.
    await pool.query("checkpoint");
    const begin = performance.now();
    const watch = await watchProcessors([postmaster]);
    const measured = (await MEASUREMENTS[name]?.({ adminUrl: server.adminUrl, postmaster })) ?? [];
    const othersShare = await watch.shareOfOthers();
    rows.push(...measured.map((row) => ({ ...row, othersShare })));
    print(`\n${name}: ${Math.round((performance.now() - begin) / 1000)} s`);
    for (const row of measured)
      print(
        `  ${row.met ? "met   " : "MISSED"}  ${row.measured}: ${row.here} (${row.against}): ${row.result}, goal ${row.goal}`,
      );
    if (othersShare !== null && othersShare > BUSY)
      print(`  WARNING: other programs used ${formatShare(othersShare)} of the processors meanwhile`);
  }
  print(`\n${formatTable(rows)}\n`);
  const described = `${describeMachine()}, ${version} with fsync on the same machine; ${new Date().toISOString().slice(0, 10)}.`;
  if (asked.length === 0) await writeDocument({ rows, described });
}

/** As in a cluster that has been at work: a new file for PostgreSQL's log is an old one renamed, not 16 MB of zeroes. */
async function makeLogFiles(pool: pg.Pool): Promise<void> {
  for (let file = 0; file < LOG_FILES; file += 1) {
    await pool.query("select pg_logical_emit_message(true, 'bench', 'fills a file')");
    await pool.query("select pg_switch_wal()");
  }
}

async function inspect(pool: pg.Pool): Promise<{ version: string; postmaster: number }> {
  const { rows } = await pool.query<{ version: string; pid: string; fsync: string }>(
    `select split_part(version(), ' on ', 1) as version, split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid,
       current_setting('fsync') as fsync`,
  );
  const [row] = rows;
  if (row?.fsync !== "on") throw new Error("PostgreSQL has to write to disk for this");
  return { version: row.version, postmaster: Number(row.pid) };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
