import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { LEVELS } from "../oxlint.config.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** A line of code, the place that it is planted in, and the rule that has to object; null where none may. */
const PLANTED: readonly (readonly [place: string, line: string, rule: string | null])[] = [
  ["src/store/up.ts", 'export { x } from "../web/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/store/up-twice.ts", 'export * from "../usecases/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/store/up-to-the-top.ts", 'export { x } from "../service.ts";', "eslint(no-restricted-imports)"],
  ["src/store/up-by-type.ts", 'export type { X } from "../web/planted.ts";', "eslint(no-restricted-imports)"],
  [
    "src/store/up-by-type-import.ts",
    'import type { X } from "../jobs/planted.ts";',
    "eslint(no-restricted-imports)",
  ],
  ["src/store/up-later.ts", 'await import("../web/planted.ts");', "eslint(no-restricted-imports)"],
  ["src/store/deep/up.ts", 'import "../../web/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/store/sideways.ts", 'import "../docusign/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/web/sideways.ts", 'import type { X } from "../jobs/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/cli/sideways.ts", 'import "../web/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/usecases/up.ts", 'import "../cli/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/domain/up.ts", 'import "../documents/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/documents/to-tests.ts", 'import "../../test/planted.ts";', "eslint(no-restricted-imports)"],
  ["src/documents/to-tools.ts", 'import "../../tools/planted.ts";', "eslint(no-restricted-imports)"],
  ["test/support/to-tools.ts", 'import "../../tools/planted.ts";', "eslint(no-restricted-imports)"],
  ["tools/down.ts", 'import "../test/support/planted.ts"; import "../src/store/planted.ts";', null],
  ["src/web/down.ts", 'import "../store/planted.ts";', null],
  ["src/usecases/down.ts", 'import "../docusign/planted.ts";', null],
  ["src/store/beside.ts", 'import "./planted.ts";', null],
  ["src/service.ts", 'import "./web/planted.ts";', null],

  ["src/usecases/foreign.ts", 'import "express";', "eslint(no-restricted-imports)"],
  ["src/usecases/foreign-type.ts", 'import type { Kysely } from "kysely";', "eslint(no-restricted-imports)"],
  ["src/usecases/foreign-part.ts", 'import "kysely/migration";', "eslint(no-restricted-imports)"],
  ["src/service-too.ts", 'import "pg";', "eslint(no-restricted-imports)"],
  ["src/web/foreign.ts", 'import "graphile-worker";', "eslint(no-restricted-imports)"],
  ["src/store/foreign.ts", 'import "@aws-sdk/client-s3";', "eslint(no-restricted-imports)"],
  ["src/documents/foreign.ts", 'import "docusign-esign";', "eslint(no-restricted-imports)"],
  ["src/web/foreign-traces.ts", 'import "@opentelemetry/api";', "eslint(no-restricted-imports)"],
  ["src/jobs/foreign-traces.ts", 'import "@opentelemetry/sdk-node";', "eslint(no-restricted-imports)"],
  ["src/jobs/traces.ts", 'import "@opentelemetry/api";', null],
  ["src/main-too.ts", 'import "@opentelemetry/api"; import "@opentelemetry/sdk-node";', null],
  ["src/domain/foreign.ts", 'import "zod";', "eslint(no-restricted-imports)"],
  ["src/domain/input.ts", 'import "node:fs";', "eslint(no-restricted-imports)"],
  ["src/web/logger.ts", 'import "pino";', "eslint(no-restricted-imports)"],
  ["src/web/logger-type.ts", 'export type { Logger } from "pino";', null],
  ["src/web/at-home.ts", 'import "express";', null],
  ["src/documents/at-home.ts", 'import "@aws-sdk/client-s3";', null],
  ["src/docusign/everybodys.ts", 'import "zod";', null],
  ["test/anything.ts", 'import "../src/web/planted.ts"; import "express"; import "pg";', null],

  ["src/store/exit.ts", "process.exitCode = 1;", "eslint(no-restricted-globals)"],
  ["src/store/exit-too.ts", "globalThis.process.exitCode = 1;", "eslint(no-restricted-properties)"],
  ["src/config.ts", 'import "node:process";', "eslint(no-restricted-imports)"],
  ["src/main.ts", "process.exitCode = 1;", null],
  ["src/usecases/clock.ts", "export const now = Date.now();", "eslint(no-restricted-properties)"],
  ["src/web/loud.ts", 'console.log("x");', "eslint(no-console)"],
  ["src/web/floating.ts", "Promise.resolve(1);", "typescript(no-floating-promises)"],
  ["src/web/cast.ts", 'export const x = JSON.parse("1") as string;', "typescript(no-unsafe-type-assertion)"],
  ["src/web/circle-1.ts", 'export * from "./circle-2.ts";', "import(no-cycle)"],
  ["src/web/circle-2.ts", 'export * from "./circle-1.ts";', "import(no-cycle)"],
  ["src/web/default.ts", "export default 1;", "import(no-default-export)"],
  ["test/told.test.ts", 'import { test } from "node:test"; test("told", () => {});', null],
];

const Report = z.object({
  number_of_files: z.number(),
  diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })),
});

test("the linter finds what breaks the rules, and nothing else", async () => {
  const folder = await plant();

  const report = Report.parse(JSON.parse(await runLinter(folder, ["--format=json", "src", "test", "tools"])));

  const found = new Map(report.diagnostics.map(({ filename, code }) => [filename, code]));
  for (const [place, line, rule] of PLANTED)
    assert.equal(found.get(place) ?? null, rule, `${place}: ${line}`);
  assert.equal(report.number_of_files, PLANTED.length);
  await rm(folder, { recursive: true });
});

test("the linter sees every file of the program, and every folder of it has its layer", async () => {
  const everything = await readdir(join(ROOT, "src"), { recursive: true });
  const files = everything.filter((path) => /\.[jt]s$/.test(path)).map((path) => join("src", path));
  const entries = await readdir(join(ROOT, "src"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);

  const seen = (await runLinter(ROOT, ["--debug=files", "src"])).trim().split("\n");

  assert.deepEqual(seen.sort(), files.sort());
  assert.ok(files.length > 80, `only ${files.length} files`);
  assert.deepEqual(folders.sort(), LEVELS.slice(1).flat().toSorted());
});

async function plant(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-lint-"));
  for (const name of ["oxlint.config.ts", "tsconfig.json"]) await cp(join(ROOT, name), join(folder, name));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [place, line] of PLANTED) {
    await mkdir(dirname(join(folder, place)), { recursive: true });
    await writeFile(join(folder, place), `${line}\n`);
  }
  return folder;
}

/** What oxlint prints, faults found or not. */
function runLinter(folder: string, args: readonly string[]): Promise<string> {
  const program = join(ROOT, "node_modules", "oxlint", "bin", "oxlint");
  return new Promise((fulfil, reject) => {
    execFile(process.execPath, [program, ...args], { cwd: folder }, (fault, stdout) => {
      if (stdout === "") reject(fault ?? new Error("oxlint said nothing"));
      else fulfil(stdout);
    });
  });
}
