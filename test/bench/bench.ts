import pg from "pg";
import { startTestServer } from "../support/postgres.ts";
import { measureAnswers } from "./measure-answers.ts";
import { measureCalls } from "./measure-calls.ts";
import { measureContracts } from "./measure-contracts.ts";
import { measureEvents } from "./measure-events.ts";
import { measureFeed } from "./measure-feed.ts";
import { measureFirstImport } from "./measure-first-import.ts";
import { measureHour } from "./measure-hour.ts";
import { measureImports } from "./measure-imports.ts";
import { measureLone } from "./measure-lone.ts";
import { measureMemory } from "./measure-memory.ts";
import { measureReadable } from "./measure-readable.ts";
import { measureStart } from "./measure-start.ts";
import { describeLoad, describeMachine, watchProcessors } from "./processors.ts";
import { formatShare, formatTable, type Row, type Run, writeDocument } from "./report.ts";

export type Bench = { readonly adminUrl: string };

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
  memory: measureMemory,
  hour: measureHour,
  contracts: measureContracts,
  "first-import": measureFirstImport,
  start: measureStart,
};

/** From here on other programs bend the numbers. */
const BUSY = 0.05;

/** What docs/operations.md advises. */
const LIVED_IN = { shared_buffers: "1GB", min_wal_size: "1GB" };
const LOG_FILES = 64;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => MEASUREMENTS[name] === undefined);
if (unknown.length > 0) {
  print(`There is no ${unknown.join(", ")}; there are ${Object.keys(MEASUREMENTS).join(", ")}.`);
  process.exitCode = 64;
} else {
  await run(asked.length === 0 ? Object.keys(MEASUREMENTS) : asked);
}

async function run(names: readonly string[]): Promise<void> {
  print(`${describeMachine()}; ${describeLoad()}`);
  await using server = await startTestServer({ durable: true, settings: LIVED_IN });
  await using database = await connect(server.adminUrl);
  const { version, postmaster } = await prepare(database.client);
  const rows: Run["rows"][number][] = [];
  for (const name of names) {
    // What the last measurement left to be written would be written during the next one.
    await database.client.query("checkpoint");
    const begin = performance.now();
    const watch = await watchProcessors([postmaster]);
    const measured = (await MEASUREMENTS[name]?.(server)) ?? [];
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

async function connect(adminUrl: string): Promise<AsyncDisposable & { client: pg.Client }> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  return { client, [Symbol.asyncDispose]: async () => await client.end() };
}

async function prepare(client: pg.Client): Promise<{ version: string; postmaster: number }> {
  await makeLogFiles(client);
  return await inspect(client);
}

/** As in a cluster that has been at work: a new file for PostgreSQL's log is an old one renamed, not 16 MB of zeroes. */
async function makeLogFiles(client: pg.Client): Promise<void> {
  for (let file = 0; file < LOG_FILES; file += 1) {
    await client.query("select pg_logical_emit_message(true, 'bench', 'fills a file')");
    await client.query("select pg_switch_wal()");
  }
}

async function inspect(client: pg.Client): Promise<{ version: string; postmaster: number }> {
  const { rows } = await client.query<{ version: string; pid: string; fsync: string }>(
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
