import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { run } from "node:test";
import { parseArgs } from "node:util";
import { SERVER_VARIABLE, startTestServer } from "./support/postgres.ts";
import { planBatches, writeBatches } from "./support/run/batches.ts";
import { estimateDurations, listenForDurations, rememberDurations } from "./support/run/durations.ts";
import { findQuickFiles, findTestFiles } from "./support/run/files.ts";
import { QUICK_VARIABLE } from "./support/run/quick-run.ts";
import { reportSummary } from "./support/run/summary.ts";
import { limitBatches } from "./support/run/time-limit.ts";

/** `npm test`, or `npm test -- FILE…`. With `--quick`: what needs no database and no browser. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    /** Seconds that a test and a batch of files may take, many times what they need. */
    "test-limit": { type: "string", default: "300" },
    "batch-limit": { type: "string", default: "1200" },
  },
});
/** Test process and database server take turns, so more than this many processes wait for each other. */
const AT_ONCE = 2;

const root = dirname(import.meta.dirname);
await using opened = new AsyncDisposableStack();
if (values.quick) process.env[QUICK_VARIABLE] = "1";
else process.env[SERVER_VARIABLE] = opened.use(await startTestServer()).adminUrl;
const files = await estimateDurations(root, await chooseFiles());
const folder = await mkdtemp(join(tmpdir(), "torikomi-batches-"));
opened.defer(async () => await rm(folder, { recursive: true }));
const events = run({
  files: await writeBatches(folder, root, planBatches(files, AT_ONCE)),
  concurrency: AT_ONCE,
  cwd: root,
  timeout: Number(values["test-limit"]) * 1_000,
});
events.on("test:fail", () => {
  process.exitCode = 1;
});
limitBatches(events, Number(values["batch-limit"]) * 1_000, (text) => process.stdout.write(text));
const durations = listenForDurations(events);
for await (const text of reportSummary(events, durations)) process.stdout.write(text);
await rememberDurations(root, durations);

async function chooseFiles(): Promise<string[]> {
  if (positionals.length > 0) return positionals.map((path) => relative(root, resolve(path)));
  return values.quick ? await findQuickFiles(root) : await findTestFiles(root);
}
