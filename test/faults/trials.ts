import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startCluster } from "./cluster.ts";
import { missingPrograms } from "./ingress.ts";
import { tableOf, writeBetweenMarks } from "./report.ts";
import { type Result, runTrial, type Trial } from "./trial.ts";
import { findFaketime, listTrials } from "./trial-list.ts";

/**
 * `node test/faults/trials.ts [--away SECONDS] [--only TEXT] [--write]`: brings each fault about under load and prints
 * what became of it; ends with 1 where a promise was broken. `--write` puts the table into docs/operations.md.
 */
const { values } = parseArgs({
  options: { away: { type: "string", default: "10" }, only: { type: "string" }, write: { type: "boolean" } },
});
const missing = missingPrograms();
if (missing.length > 0) throw new Error(`not installed: ${missing.join(", ")}`);

await using stack = new AsyncDisposableStack();
const cluster = stack.use(await startCluster());
const folder = await mkdtemp(join(tmpdir(), "torikomi-clock-"));
stack.defer(async () => await rm(folder, { recursive: true }));
const clockFile = join(folder, "clock");
await writeFile(clockFile, "+0\n");

const trials = listTrials({
  cluster,
  awayMs: Number(values.away) * 1000,
  clockFile: findFaketime() === null ? null : clockFile,
}).filter(({ name }) => name.includes(values.only ?? ""));
const ground = { adminUrl: cluster.adminUrl };
const results: Result[] = [];
for (const trial of trials) results.push(await tryOne(trial));
print(`\n${tableOf(results)}`);
if (findFaketime() === null)
  print("\nThe clock was not stepped: libfaketime (Debian: faketime) is not installed.");
if (values.write === true) {
  await writeBetweenMarks(resolve(import.meta.dirname, "../../docs/operations.md"), tableOf(results));
}
process.exitCode = results.every(({ problems }) => problems.length === 0) ? 0 : 1;

/** A trial that breaks down is a promise broken. */
async function tryOne(trial: Trial): Promise<Result> {
  try {
    const result = await runTrial(trial, { ground });
    tell(result);
    return result;
  } catch (error) {
    const broken = { ...trial, problems: [String(error)], ...NOTHING };
    tell(broken);
    return broken;
  }
}

const NOTHING = {
  envelopes: 0,
  answers: new Map<string, number>(),
  lost: 0,
  recoveredAfter: Number.NaN,
  unlockedAfter: Number.NaN,
  connections: 0,
};

function tell({ name, problems, recoveredAfter, answers }: Result): void {
  const answered = [...answers].map(([answer, count]) => `${answer}: ${count}`).join(", ");
  print(
    `${problems.length === 0 ? "kept  " : "BROKEN"} ${name}: ${Math.round(recoveredAfter)} s; ${answered}`,
  );
  for (const problem of problems.slice(0, 10)) print(`         ${problem.slice(0, 1_000)}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
