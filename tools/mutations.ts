import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { z } from "zod";

/** StrykerJS counts a mutant that breaks a test file while it loads as an error, and leaves errors out of its score. */
const MOST_ERRORS = 0.05;

const reportSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      mutants: z.array(
        z.object({
          status: z.string(),
          mutatorName: z.string(),
          location: z.object({ start: z.object({ line: z.number() }) }),
        }),
      ),
    }),
  ),
});

const run = spawnSync("node_modules/.bin/stryker", ["run", ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = run.status ?? 1;
const report = reportSchema.parse(JSON.parse(await readFile("reports/mutation/mutation.json", "utf8")));
const mutants = Object.entries(report.files).flatMap(([path, file]) =>
  file.mutants.map(({ status, mutatorName, location }) => ({
    status,
    text: `${path}:${location.start.line} ${mutatorName}`,
  })),
);
const errors = mutants.filter(({ status }) => status === "RuntimeError");
for (const { text } of errors) process.stdout.write(`error while a test file loads: ${text}\n`);
if (errors.length > mutants.length * MOST_ERRORS) {
  process.stdout.write(
    `${errors.length} of ${mutants.length} mutants are errors: the run proves too little\n`,
  );
  process.exitCode = 1;
}
