import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startS3Server } from "../../test/support/s3-server.ts";
import { missingPrograms } from "../../test/support/trials/ingress.ts";
import { type Result, runTrial, type Trial } from "../../test/support/trials/trial.ts";
import { startCluster } from "./cluster.ts";
import { tableOf, writeBetweenMarks } from "./report.ts";
import { findFaketime, listTrials } from "./trial-list.ts";

/**
 * `node tools/trials/trials.ts [--away SECONDS] [--only TEXT] [--write]`: brings each fault about under load and prints
 * what became of it; ends with 1 where a promise was broken. `--write` puts the table into docs/operations.md.
 */
const { values } = parseArgs({
  options: { away: { type: "string", default: "10" }, only: { type: "string" }, write: { type: "boolean" } },
});
const missing = missingPrograms();
if (missing.length > 0) throw new Error(`not installed: ${missing.join(", ")}`);

await using stack = new AsyncDisposableStack();
const cluster = stack.use(await startCluster());
const s3 = stack.use(await startS3Server());
const folder = await mkdtemp(join(tmpdir(), "torikomi-clock-"));
stack.defer(async () => await rm(folder, { recursive: true }));
const clockFile = join(folder, "clock");
await writeFile(clockFile, "+0\n");

const trials = listTrials({
  cluster,
  s3,
  awayMs: Number(values.away) * 1000,
  clockFile: findFaketime() === null ? null : clockFile,
}).filter(({ name }) => name.includes(values.only ?? ""));
const ground = { adminUrl: cluster.adminUrl };
const results: Result[] = [];
for (const trial of trials) results.push(await tryOne(trial));
const table = `${conditions()}\n\n${tableOf(results)}`;
print(`\n${table}`);
if (findFaketime() === null)
  print("\nThe clock was not stepped: libfaketime (Debian: faketime) is not installed.");
if (values.write === true) {
  await writeBetweenMarks(resolve(import.meta.dirname, "../../docs/operations.md"), table);
}
process.exitCode = results.every(({ problems }) => problems.length === 0) ? 0 : 1;

function conditions(): string {
  const day = new Date().toISOString().slice(0, 10);
  const kept = results.filter(({ problems }) => problems.length === 0).length;
  return `${kept} of ${results.length} trials passed. Run on ${day} with Node.js ${process.versions.node}, ${availableParallelism()} processors.`;
}

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
