import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { planBatches } from "./support/run/batches.ts";

const POSTGRES = pathToFileURL(join(import.meta.dirname, "support/postgres.ts")).href;
const BLOCK = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)";

test("a run counts tests that hang, ask a quick run for a database, or cannot be loaded as failed, and lists what it skips", async () => {
  const { status, output } = await runFiles(["--quick", "--test-limit=1"], {
    "hanging.test.mjs": `
      test("hangs", async () => await new Promise((resolve) => setTimeout(resolve, 600_000).unref()));
      test("comes later", () => {});`,
    "demanding.test.mjs": `
      import { createTestDatabase } from ${JSON.stringify(POSTGRES)};
      test("demands", async () => await createTestDatabase());
      test("is skipped", { skip: "no such program" }, () => {});`,
    "broken.test.mjs": `import "./missing.mjs"; test("is never reached", () => {});`,
  });

  assert.equal(status, 1, output);
  assert.match(output, /✖ hangs .*\n.*test timed out after 1000ms/);
  assert.match(output, /✖ demands .*\n.*npm run test:quick has no database server/);
  assert.match(output, /Cannot find module .*missing\.mjs/);
  assert.match(output, /is skipped .*# no such program/);
  assert.match(output, /Slowest files:\n +1\.\d s {2}.*hanging\.test\.mjs\n/);
  assert.match(output, /\n1 passed, 3 failed, 1 skipped\n$/);
});

test("a batch that is blocked is killed at its limit and fails the run, and its test is named", async () => {
  const { status, output } = await runFiles(["--quick", "--batch-limit=4"], {
    "blocked.test.mjs": `test("passes", () => {}); test("blocks", () => ${BLOCK});`,
  });

  assert.equal(status, 1, output);
  assert.match(output, /took longer than 4 s and was killed\. It was at:\n.*blocked\.test\.mjs > blocks\n/);
  assert.match(output, /\n\d+ passed, 1 failed\n$/);
});

test("batches take about equally long, the longest and their longest files first", () => {
  const files = [1, 9, 2, 8, 3, 7, 4, 6, 5, 40].map((ms) => ({ path: `${ms}.test.ts`, ms }));

  const batches = planBatches(files, 2);

  assert.deepEqual(
    batches.map((batch) => batch.map(({ ms }) => ms)),
    [
      [40, 2, 1],
      [9, 8, 7, 6, 5, 4, 3],
    ],
  );
});

async function runFiles(
  options: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<{ status: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-run-"));
  try {
    const paths = await Promise.all(
      Object.entries(files).map(async ([name, tests]) => {
        const path = join(folder, name);
        await writeFile(path, `import { test } from "node:test";${tests}`);
        return path;
      }),
    );
    const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
    const child = spawn(process.execPath, [join(import.meta.dirname, "run.ts"), ...options, ...paths], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    return { status, output };
  } finally {
    await rm(folder, { recursive: true });
  }
}
