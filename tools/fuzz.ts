import { parseArgs } from "node:util";
import { fuzz, openTarget } from "../test/security/fuzzing.ts";
import { startTestServer } from "../test/support/postgres.ts";

const USAGE = `npm run fuzz [-- --inputs N --seed N | --help]

Sends random and damaged inputs to every address of the service and ends with status 1 where an answer broke a promise.

--inputs N   so many (100000: some minutes)
--seed N     the same seed sends the same inputs (1)`;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) print(USAGE);
else await run(Number(values.inputs), Number(values.seed));

async function run(inputs: number, seed: number): Promise<void> {
  if (!Number.isSafeInteger(inputs) || inputs <= 0 || !Number.isSafeInteger(seed)) {
    print(USAGE);
    process.exitCode = 64;
    return;
  }
  await using server = await startTestServer();
  await using target = await openTarget({ adminUrl: server.adminUrl });
  const start = performance.now();
  const report = await fuzz(target, { inputs, seed });
  const seconds = (performance.now() - start) / 1000;
  for (const [key, count] of [...report.answers].sort()) print(`${String(count).padStart(7)}  ${key}`);
  print(
    `${report.inputs} inputs of seed ${seed} in ${Math.round(seconds)} s; slowest answer ${Math.round(report.slowestMs)} ms`,
  );
  print(`memory: ${report.memory.early} MB after a fifth, ${report.memory.late} MB at the end`);
  for (const problem of report.problems) print(`BROKEN ${problem}`);
  process.exitCode = report.problems.length === 0 ? 0 : 1;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
