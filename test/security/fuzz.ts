import { parseArgs } from "node:util";
import { startTestServer } from "../support/postgres.ts";
import { fuzz, openTarget } from "./fuzzing.ts";

/** `node test/security/fuzz.ts [--inputs N] [--seed N]`: the long form; ends with 1 where an input broke a promise. */
const { values } = parseArgs({
  options: { inputs: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});
await using server = await startTestServer();
await using target = await openTarget({ adminUrl: server.adminUrl });
const start = performance.now();
const report = await fuzz(target, { inputs: Number(values.inputs), seed: Number(values.seed) });
const seconds = (performance.now() - start) / 1000;
for (const [key, count] of [...report.answers].sort()) print(`${String(count).padStart(7)}  ${key}`);
print(
  `${report.inputs} inputs of seed ${values.seed} in ${Math.round(seconds)} s; slowest answer ${Math.round(report.slowestMs)} ms`,
);
print(`memory: ${report.memory.early} MB after a fifth, ${report.memory.late} MB at the end`);
for (const problem of report.problems) print(`BROKEN ${problem}`);
process.exitCode = report.problems.length === 0 ? 0 : 1;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
